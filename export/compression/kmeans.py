"""Find the table of values that is nearest to a weight's numbers: k-means in one dimension.

Sorted numbers make Lloyd's step a matter of prefix sums, so that 24 million weights take seconds.
Tables start where the cube root of the density says, the best for fine tables (P. F. Panter and
W. Dite, 1951): between the quantiles, which lose the tails, and a uniform grid.
"""

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError

STEPS = 300
STILL = 1e-6
"""A table stands still where no entry moves by more than this share of the largest."""
BINS = 4096


def palette(
    values: NDArray[np.floating], entries: int
) -> tuple[NDArray[np.floating], NDArray[np.uint8]]:
    """Return a sorted table of `entries` values, and each number's index into it, flat.

    The table is of the type of `values`, and each number has the entry nearest to it. Raises
    InputError where a number is not finite.
    """
    flat = values.reshape(-1)
    if not np.isfinite(flat).all():
        raise InputError("A weight holds NaN or infinite numbers, so that no table suits it.")
    distinct, counts = np.unique(flat, return_counts=True)
    table = distinct
    if len(distinct) > entries:
        table = np.sort(_centres(distinct.astype(np.float64), counts, entries)).astype(flat.dtype)
    table = np.concatenate([table, np.full(entries - len(table), table[-1])])
    exact = table.astype(np.float64)
    edges = (exact[1:] + exact[:-1]) / 2
    # Few numbers are distinct: each is looked up once.
    nearest = np.searchsorted(edges, distinct.astype(np.float64)).astype(np.uint8)
    return table, nearest[np.searchsorted(distinct, flat)]


def _centres(
    values: NDArray[np.float64], counts: NDArray[np.int64], entries: int
) -> NDArray[np.float64]:
    """Return the centres of `entries` clusters of sorted `values` that occur `counts` times."""
    numbers = np.concatenate([[0], np.cumsum(counts)])
    sums = np.concatenate([[0.0], np.cumsum(counts * values)])
    centres = _start(values, counts, entries)
    for _ in range(STEPS):
        inner = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        edges = np.concatenate([[0], inner, [len(values)]])
        members = np.diff(numbers[edges])
        moved = np.where(members > 0, np.diff(sums[edges]) / np.maximum(members, 1), centres)
        still = np.abs(moved - centres).max() <= STILL * np.abs(moved).max()
        centres = moved
        if still:
            break
    return centres


def _start(
    values: NDArray[np.float64], counts: NDArray[np.int64], entries: int
) -> NDArray[np.float64]:
    """Return centres as dense as the cube root of the numbers' density."""
    density, edges = np.histogram(values, BINS, weights=counts)
    reached = np.concatenate([[0.0], np.cumsum(np.cbrt(density))])
    places = (np.arange(entries) + 0.5) / entries * reached[-1]
    return np.asarray(np.interp(places, reached, edges))
