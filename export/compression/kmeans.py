"""Find the table of values that is nearest to a weight's numbers: k-means in one dimension.

Sorted numbers make Lloyd's step a matter of prefix sums, so that 24 million weights take seconds.
Tables start where the cube root of the density says, the best for fine tables (P. F. Panter and
W. Dite, 1951): between the quantiles, which lose the tails, and a uniform grid.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 300
STILL = 1e-6
"""A table stands still where no entry moves by more than this share of the largest."""
BINS = 4096


def palette(values: NDArray[Any], entries: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return a sorted table `(entries,)` of the values' type, and each number's index into it.

    Each of `values`, finite and of any shape, has the entry nearest to it.
    """
    distinct, places, counts = _distinct(values.reshape(-1))
    table = distinct
    if len(distinct) > entries:
        centres = _centres(distinct.astype(np.float64), counts.astype(np.float64), entries)
        table = np.sort(centres).astype(values.dtype)
    table = np.concatenate([table, np.full(entries - len(table), table[-1])])
    exact = table.astype(np.float64)
    # Few numbers are distinct: each is looked up once.
    nearest = np.searchsorted((exact[1:] + exact[:-1]) / 2, distinct.astype(np.float64))
    return table, nearest.astype(np.uint8)[places].reshape(values.shape)


def _distinct(
    flat: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.int64]]:
    """Return sorted distinct numbers, the place of each number among them, and their counts.

    Of float16, whose 65,536 patterns can be counted, without sorting all numbers.
    """
    if flat.dtype != np.float16:
        return np.unique(flat, return_inverse=True, return_counts=True)
    patterns = flat.view(np.uint16)
    occurring = np.bincount(patterns, minlength=1 << 16)
    present = np.flatnonzero(occurring).astype(np.uint16)
    order = present[np.argsort(present.view(np.float16))]
    places = np.zeros(1 << 16, np.intp)
    places[order] = np.arange(len(order))
    return order.view(np.float16), places[patterns], occurring[order]


def _centres(
    values: NDArray[np.float64], counts: NDArray[np.float64], entries: int
) -> NDArray[np.float64]:
    """Return the centres of `entries` clusters of sorted `values` that count so many times."""
    totals = np.concatenate([[0.0], np.cumsum(counts)])
    sums = np.concatenate([[0.0], np.cumsum(counts * values)])
    centres = _start(values, counts, entries)
    for _ in range(STEPS):
        inner = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        edges = np.concatenate([[0], inner, [len(values)]])
        members = np.diff(totals[edges])
        some = members > 0
        moved = np.where(some, np.diff(sums[edges]) / np.where(some, members, 1), centres)
        still = np.abs(moved - centres).max() <= STILL * np.abs(moved).max()
        centres = moved
        if still:
            break
    return centres


def _start(
    values: NDArray[np.float64], counts: NDArray[np.float64], entries: int
) -> NDArray[np.float64]:
    """Return centres as dense as the cube root of the numbers' density."""
    density, edges = np.histogram(values, BINS, weights=counts)
    reached = np.concatenate([[0.0], np.cumsum(np.cbrt(density))])
    places = (np.arange(entries) + 0.5) / entries * reached[-1]
    return np.asarray(np.interp(places, reached, edges))
