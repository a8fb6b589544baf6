"""Compare an artifact's outputs with PyTorch's, in numbers that add up over pictures.

`compare` measures one picture; what it returns is additive, so the comparison of a whole set
is the sum of its pictures' (flat memory), and `measure` derives the usual figures from either.

With r the reference's decision values (see `decision_values`), c the artifact's and P their
range: PSNR = 20·log10(P / RMS(c − r)), SNR = 10·log10(Σr² / Σ(c − r)²), each on every scale by
itself: of independent channels, the figures are those of the worst one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import mask_values
from validate.metrics.decision_values import TINY, Scale, split
from validate.metrics.margins import Decisions, Region, decisions
from validate.runtimes import Outputs

Sums = NDArray[np.float64]
"""One number for each scale, `(G,)`: G is one, or the number of independent channels."""


@dataclass(frozen=True)
class Comparison:
    """Sums over the pixels of one picture or of many; `Sums` are over decision values.

    `logits` counts them; `confusion (K, K)` counts pixels by the reference's label and the
    artifact's, or `(C, 2, 2)` those of each independent channel by whether it is there.
    `off_mask` counts pixels whose mask is not what the artifact's own logits say, and
    `shared_error` is the largest error of what exclusive classes share.
    """

    logits: int
    scale: Scale
    max_error: Sums
    error: Sums
    squared_error: Sums
    reference_energy: Sums
    candidate_energy: Sums
    product: Sums
    confusion: NDArray[np.int64]
    largest_logit: float
    shared_error: float
    off_mask: int
    decisions: Decisions

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(
            logits=self.logits + other.logits,
            scale=self.scale | other.scale,
            max_error=np.maximum(self.max_error, other.max_error),
            error=self.error + other.error,
            squared_error=self.squared_error + other.squared_error,
            reference_energy=self.reference_energy + other.reference_energy,
            candidate_energy=self.candidate_energy + other.candidate_energy,
            product=self.product + other.product,
            confusion=self.confusion + other.confusion,
            largest_logit=max(self.largest_logit, other.largest_logit),
            shared_error=max(self.shared_error, other.shared_error),
            off_mask=self.off_mask + other.off_mask,
            decisions=self.decisions + other.decisions,
        )


@dataclass(frozen=True)
class ClassOverlap:
    """Pixels of one class in each mask, in both and in either.

    Where channels are independent, a class is a channel. `iou` is None where both masks are
    empty: nothing agrees there, and nothing disagrees.
    """

    reference: int
    candidate: int
    intersection: int
    union: int
    iou: float | None


@dataclass(frozen=True)
class Metrics:
    """What people and tolerances ask of a comparison.

    Errors are in logits, as far as they can change a mask. `relative_error` is the largest one as
    a share of PyTorch's range on the same scale; `ranges` has one for each scale. `psnr` and `snr`
    are in dB and None where there is no error at all, `cosine` is None where a side is all zeros;
    where channels are independent, these four are those of the worst channel. `agreement` is the
    share of pixels with equal labels, for all pixels and apart for those beside another label
    (`boundary`) and the rest (`interior`). `margin` is the reference's mean margin, in logits, and
    `undecided` the share of pixels whose margin an error within the tolerance can overcome. Where
    channels are independent, the pixels of every channel are counted. `shared_error` is the
    largest error of what exclusive classes share, as a share of PyTorch's largest logit.
    """

    max_error: float
    mean_error: float
    rms_error: float
    relative_error: float
    shared_error: float
    ranges: tuple[float, ...]
    psnr: float | None
    snr: float | None
    cosine: float | None
    pixels: int
    flips: int
    decisive_flips: int
    off_mask: int
    agreement: float
    boundary: Region
    interior: Region
    margin: float
    undecided: float
    classes: tuple[ClassOverlap, ...]


def compare(
    reference: Outputs,
    candidate: Outputs,
    limit: float,
    slack: float,
    scale: Scale | None = None,
) -> Comparison:
    """Compare one picture's outputs, `logits (C, H, W)` and its mask, all finite.

    A flipped pixel is decisive when errors up to `limit`, a share of the reference's range,
    cannot explain it; a mask may differ from its own logits' where their gap is within `slack`, a
    share of the largest of them. `scale` is that of the pictures that are judged together.
    """
    (expected, expected_shared), (actual, actual_shared) = split(reference), split(candidate)
    difference = actual - expected
    sizes = np.abs(difference)
    own = Scale.of(expected)
    judged = own if scale is None else own | scale
    return Comparison(
        logits=expected.size,
        scale=judged,
        max_error=sizes.max(axis=1),
        error=sizes.sum(axis=1),
        squared_error=_products(difference, difference),
        reference_energy=_products(expected, expected),
        candidate_energy=_products(actual, actual),
        product=_products(expected, actual),
        confusion=_confusion(reference, candidate.mask),
        largest_logit=float(np.abs(reference.logits).max()),
        shared_error=float(np.abs(actual_shared - expected_shared).max()),
        off_mask=_off_mask(candidate, slack),
        decisions=decisions(reference, candidate.mask, limit * judged.range),
    )


def measure(comparison: Comparison) -> Metrics:
    """Derive the figures of one picture or of many."""
    ranges, each = comparison.scale.range, comparison.logits / len(comparison.max_error)
    rms = np.sqrt(comparison.squared_error / each)
    energies = np.sqrt(comparison.reference_energy * comparison.candidate_energy)
    pixels = int(comparison.confusion.sum())
    same = int(comparison.confusion.diagonal(axis1=-2, axis2=-1).sum())
    counts, flips = comparison.decisions, pixels - same
    return Metrics(
        max_error=float(comparison.max_error.max()),
        mean_error=float(comparison.error.sum()) / comparison.logits,
        rms_error=math.sqrt(float(comparison.squared_error.sum()) / comparison.logits),
        relative_error=float((comparison.max_error / ranges).max()),
        shared_error=comparison.shared_error / max(comparison.largest_logit, TINY),
        ranges=tuple(ranges.tolist()),
        psnr=_worst(20 * math.log10(p / r) for p, r in zip(ranges, rms, strict=True) if r),
        snr=_worst(_snrs(comparison)),
        cosine=_worst(
            min(1.0, float(p / e)) for p, e in zip(comparison.product, energies, strict=True) if e
        ),
        pixels=pixels,
        flips=flips,
        decisive_flips=counts.decisive_flips,
        off_mask=comparison.off_mask,
        agreement=same / pixels,
        boundary=Region.of(counts.boundary, counts.boundary_flips),
        interior=Region.of(pixels - counts.boundary, flips - counts.boundary_flips),
        margin=counts.margin / pixels,
        undecided=counts.undecided / pixels,
        classes=_overlaps(comparison.confusion),
    )


def _off_mask(outputs: Outputs, slack: float) -> int:
    """Count pixels whose label misses the best of its own logits, by more than rounding explains.

    Logits are rounded as they stand, so that the slack goes by their size.
    """
    if outputs.independent or len(outputs.logits) == 1:
        logits = outputs.logits.reshape(outputs.mask.shape)
        gap = np.where(outputs.mask == 1, -logits, logits)
    else:
        labels = outputs.mask[None].astype(np.int64)
        gap = outputs.logits.max(axis=0) - np.take_along_axis(outputs.logits, labels, axis=0)[0]
    axes = (-2, -1) if outputs.independent else None
    largest = np.abs(outputs.logits).max(axis=axes, keepdims=outputs.independent)
    return int((gap > slack * largest).sum())


def _confusion(reference: Outputs, actual: NDArray[np.int32]) -> NDArray[np.int64]:
    if reference.independent:
        pairs = zip(reference.mask, actual, strict=True)
        return np.stack([_counts(*pair, values=2) for pair in pairs])
    return _counts(reference.mask, actual, mask_values(len(reference.logits)))


def _counts(
    expected: NDArray[np.int32], actual: NDArray[np.int32], values: int
) -> NDArray[np.int64]:
    pairs = expected.astype(np.int64).ravel() * values + actual.ravel()
    return np.bincount(pairs, minlength=values * values).reshape(values, values)


def _products(first: NDArray[np.float64], second: NDArray[np.float64]) -> Sums:
    products: Sums = np.einsum("gn,gn->g", first, second)
    return products


def _worst(figures: Iterable[float]) -> float | None:
    return min(figures, default=None)


def _snrs(comparison: Comparison) -> Iterable[float]:
    pairs = zip(comparison.reference_energy, comparison.squared_error, strict=True)
    return (10 * math.log10(max(r, TINY) / e) for r, e in pairs if e)


def _overlaps(confusion: NDArray[np.int64]) -> tuple[ClassOverlap, ...]:
    both = confusion.diagonal(axis1=-2, axis2=-1)
    expected, actual = confusion.sum(axis=-1), confusion.sum(axis=-2)
    if confusion.ndim == 3:  # of each channel what is there, and not what is not
        both, expected, actual = both[:, 1], expected[:, 1], actual[:, 1]
    counts = (column.tolist() for column in (expected, actual, both, expected + actual - both))
    return tuple(
        ClassOverlap(r, c, i, u, i / u if u else None) for r, c, i, u in zip(*counts, strict=True)
    )
