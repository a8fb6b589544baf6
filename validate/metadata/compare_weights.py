"""A file's weights against those that the network applies, at the file's own precision.

A file made of a neighbouring epoch's checkpoint draws nearly the same masks: no limit on logits
tells it. Its weights do. Each weight of a file is held against the nearest of the network's
weights of its size; what is near it, but not equal to it as far as the file's precision goes, is
of another checkpoint. What is far from all of them was computed in a way that is not known here
(or is wrong by so much that parity tells).

Of a large weight, about 4,000 numbers spread over it are compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from validate.metadata.compressed_weights import CompressedWeight
from validate.metadata.network_weights import Applied

COMPARED = 1 << 12
"""So many numbers of a weight are compared."""
NEAR = 0.1
"""A weight this share of its length away from the network's is another version of it."""
FAR = 0.5
"""No form puts the numbers of a weight, of 4 bits each, so far away: it is about 0.1 there."""
EXACT = {2: 2.0**-10 * 1.01, 4: 2.0**-18}
"""How far a number may be off, as a share of it, by its bytes: one step of float16, which holds 11
digits, and what folding in float32 rounds."""
ROUNDED_OTHERWISE = 0.02
"""This share of the numbers may be a step of float16 off: where folding in float32, done in another
order, falls on the other side of a half. It is below 0.1 % of the numbers of the networks measured;
weights that are 0.02 % away put 20 % a step off."""
FEW = 3
SMALLEST_NORMAL = 2.0**-14


@dataclass(frozen=True)
class ForeignWeight:
    """Hold a weight of a file that is near the network's `module`, and not equal to it.

    `distance` is the length of the difference as a share of the weight's.
    """

    operation: str
    module: str
    distance: float


@dataclass(frozen=True)
class Candidates:
    """Hold the numbers at `positions` of all weights of one size, a row each.

    `applied` says whose they are, and `flipped` whether they are those of its transpose.
    """

    applied: tuple[Applied, ...]
    flipped: tuple[bool, ...]
    positions: NDArray[np.int64]
    values: NDArray[np.float64]
    squares: NDArray[np.float64]

    def nearest(self, actual: NDArray[np.float64]) -> tuple[int, float]:
        """Return which of them is nearest to `actual`, and how far it is, as a share of it."""
        # |a - e|² = |a|² - 2 a·e + |e|², for every candidate at once
        index = int(np.argmin(self.squares - 2 * self.values @ actual))
        return index, _distance(actual, self.values[index])


class ExpectedWeights:
    """The weights that a network applies, ready to be looked up by what they hold."""

    def __init__(self, applied: Sequence[Applied]):
        self._applied: dict[int, list[Applied]] = defaultdict(list)
        self._candidates: dict[int, Candidates] = {}
        for each in applied:
            self._applied[each.weight.numel()].append(each)

    def __bool__(self) -> bool:
        """Return whether any weight is known: none is where only the outputs were stored."""
        return bool(self._applied)

    def of_size(self, size: int) -> Candidates | None:
        """Return the weights of as many numbers; None where there are none."""
        if size not in self._applied:
            return None
        if size not in self._candidates:
            self._candidates[size] = self._gathered(size)
        return self._candidates[size]

    def _gathered(self, size: int) -> Candidates:
        # The step is odd, so that none of a weight's axes is missed.
        positions = np.arange(0, size, size // COMPARED | 1)
        versions = [pair for each in self._applied[size] for pair in _versions(each, positions)]
        applied, flipped, numbers = zip(*versions, strict=True)
        values = np.stack(numbers)
        return Candidates(applied, flipped, positions, values, (values**2).sum(axis=1))


def foreign_weights(
    stored: Mapping[str, NDArray[Any]], expected: ExpectedWeights
) -> tuple[ForeignWeight, ...]:
    """Return the weights in a file that are of a neighbouring checkpoint, the farthest first."""
    found: list[ForeignWeight] = []
    for name, array in stored.items():
        candidates = expected.of_size(array.size)
        if candidates is not None and array.dtype in (np.float16, np.float32):
            found += _foreign(name, array.reshape(-1)[candidates.positions], candidates)
    return tuple(sorted(found, key=lambda each: -each.distance))


def altered_weights(
    stored: Mapping[str, CompressedWeight], expected: ExpectedWeights
) -> tuple[ForeignWeight, ...]:
    """Return the compressed weights that are not the network's in their form, the farthest first.

    Each number has to be the one of those that its form offers which is nearest to the network's.
    """
    found = [_altered(name, weight, expected) for name, weight in stored.items()]
    return tuple(sorted(filter(None, found), key=lambda each: -each.distance))


def _altered(
    name: str, weight: CompressedWeight, expected: ExpectedWeights
) -> ForeignWeight | None:
    candidates = expected.of_size(weight.indices.size)
    if candidates is None:
        return ForeignWeight(name, "", np.inf)
    positions = candidates.positions
    actual = weight.values.reshape(-1)[positions].astype(np.float64)
    if not np.isfinite(actual).all():
        return ForeignWeight(name, "", np.inf)
    nearest, distance = candidates.nearest(actual)
    if distance > FAR:
        return ForeignWeight(name, "", distance)
    wanted = candidates.values[nearest]
    least = np.abs(weight.offered(positions) - wanted[:, None]).min(axis=1)
    # The number was rounded to float16 before it was compared, and a scale was too.
    off = np.abs(actual - wanted) > least + 2 * EXACT[2] * np.abs(wanted) + SMALLEST_NORMAL
    if off.sum() <= max(FEW, ROUNDED_OTHERWISE * len(off)):
        return None
    return ForeignWeight(name, candidates.applied[nearest].module, distance)


def _foreign(name: str, kept: NDArray[Any], candidates: Candidates) -> Iterator[ForeignWeight]:
    """Yield a weight that is near one of the candidates, and not equal to it."""
    actual = kept.astype(np.float64)
    if not np.isfinite(actual).all():
        return
    nearest, distance = candidates.nearest(actual)
    if distance < NEAR and not _are_equal(kept, candidates.values[nearest]):
        yield ForeignWeight(name, candidates.applied[nearest].module, distance)


def _distance(actual: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    length = float(np.linalg.norm(expected))
    return float(np.linalg.norm(actual - expected)) / length if length else np.inf


def _are_equal(kept: NDArray[Any], expected: NDArray[np.float64]) -> bool:
    """Whether the numbers are the expected ones in the type that they are kept in."""
    rounded = expected.astype(np.float32).astype(kept.dtype)
    counts = np.abs(expected) >= SMALLEST_NORMAL if kept.itemsize == 2 else expected != 0
    actual = kept.astype(np.float64)
    if (np.abs(actual - expected) > EXACT[kept.itemsize] * np.abs(expected))[counts].any():
        return False
    if kept.itemsize != 2:
        return True
    off = int((kept != rounded)[counts].sum())
    return off <= max(FEW, ROUNDED_OTHERWISE * int(counts.sum()))


def _versions(
    applied: Applied, positions: NDArray[np.int64]
) -> Iterator[tuple[Applied, bool, NDArray[np.float64]]]:
    """Yield the numbers at `positions` of a weight, and of a matrix's transpose."""
    weight = applied.weight
    places = torch.from_numpy(positions)
    values = weight.reshape(-1)[places].double()
    yield applied, False, (values * applied.scale_at(places)).numpy()
    if weight.dim() == 2 and applied.scale is None:
        rows, columns = weight.shape
        flipped = places % rows * columns + places // rows
        yield applied, True, weight.reshape(-1)[flipped].double().numpy()
