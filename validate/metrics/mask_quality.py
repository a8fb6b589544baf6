"""Compare the masks of a compressed file with PyTorch's: IoU of each class, and of its boundary.

What a file loses to compression is judged by its masks: by every pixel of a class, and by those
near its outline, where small spots and thin scratches count like large areas (B. Cheng et al.,
"Boundary IoU", CVPR 2021):

    G_d = pixels of the class within d of its outline        IoU(G_d, P_d)

with d = 2 % of the mask's diagonal. The edge of the picture is no outline, and the background has
none: it would be that of the other classes once more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validate.metrics.comparison import ClassOverlap
from validate.runtimes import Outputs

NEAR_OUTLINE = 0.02
"""How far from its outline a pixel counts as boundary, as a share of the mask's diagonal."""
FEW = 128
"""A class of fewer pixels in both masks together is too small for its IoU to say anything."""


@dataclass(frozen=True)
class MaskCounts:
    """Count the pixels of each class in two masks: `(C, 4)` expected, actual, both, either.

    `areas` are those of all pixels, `boundaries` those near outlines. Counts of several pictures
    add up.
    """

    areas: NDArray[np.int64]
    boundaries: NDArray[np.int64]

    def __add__(self, other: "MaskCounts") -> "MaskCounts":
        return MaskCounts(self.areas + other.areas, self.boundaries + other.boundaries)


@dataclass(frozen=True)
class MaskQuality:
    """Hold how good a compressed file's masks are, and what they have to be.

    `form` is that of its weights; `areas` and `boundaries` have an overlap for each class with
    PyTorch's masks; `min_iou` is the least IoU of both. `proven` says that the file computes what
    the network with its weights computes, so that all it loses is the form's.
    """

    form: str
    min_iou: float
    areas: tuple[ClassOverlap, ...]
    boundaries: tuple[ClassOverlap, ...]
    proven: bool

    def violations(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return a sentence on each class whose mask is worse than promised."""
        found = []
        for kind, overlaps in (("mask", self.areas), ("outline", self.boundaries)):
            for label, each in zip(labels, overlaps, strict=True):
                if each.iou is not None and each.union >= FEW and each.iou < self.min_iou:
                    found.append(
                        f"its {kind} of {label} has an IoU of {each.iou:.3f} to PyTorch's, and "
                        f"MIN_IOU={self.min_iou:g} is required"
                    )
        return tuple(found)


def count_masks(expected: Outputs, actual: Outputs) -> MaskCounts:
    """Count the pixels of each class in the masks of one picture, `(H, W)` or `(C, H, W)`."""
    first, second = _classes(expected), _classes(actual)
    outlines = _counts(_boundary(first), _boundary(second))
    if not expected.independent:
        outlines[0] = 0
    return MaskCounts(_counts(first, second), outlines)


def overlaps(counts: NDArray[np.int64]) -> tuple[ClassOverlap, ...]:
    """Return the overlap of each class, of `counts (C, 4)`."""
    return tuple(ClassOverlap(r, c, i, u, i / u if u else None) for r, c, i, u in counts.tolist())


def _classes(outputs: Outputs) -> NDArray[np.bool_]:
    """Return where each class is, `(C, H, W)`."""
    if outputs.independent:
        return np.asarray(outputs.mask == 1)
    values = np.arange(max(2, len(outputs.logits)))
    return np.asarray(outputs.mask[None] == values[:, None, None])


def _boundary(classes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of `classes (C, H, W)` that lie near a pixel outside of their class."""
    distance = max(1, round(NEAR_OUTLINE * math.hypot(*classes.shape[1:])))
    return classes & _within(_within(~classes, distance, axis=1), distance, axis=2)


def _within(places: NDArray[np.bool_], distance: int, axis: int) -> NDArray[np.bool_]:
    """Return what lies along `axis` within `distance` of one of `places`."""
    before, after = ([(0, 0)] * places.ndim for _ in range(2))
    before[axis], after[axis] = (distance + 1, 0), (0, distance)
    counts = np.cumsum(np.pad(np.pad(places, before), after), axis=axis, dtype=np.int32)
    size = places.shape[axis]
    first = np.take(counts, np.arange(size), axis)
    last = np.take(counts, np.arange(size) + 2 * distance + 1, axis)
    return np.asarray(last > first)


def _counts(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.int64]:
    parts = (first, second, first & second, first | second)
    return np.stack([part.sum(axis=(1, 2), dtype=np.int64) for part in parts], axis=1)
