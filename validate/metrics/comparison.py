"""How far an artifact's outputs are from PyTorch's: numbers that add up over pictures.

`compare` measures one picture; what it returns is additive, so the comparison of a whole set
is the sum of its pictures' (flat memory), and `measure` derives the usual figures from either.

With r the reference's logits, c the artifact's and P = max(r, 0) − min(r, 0) the reference's
range: PSNR = 20·log10(P / RMS(c − r)), SNR = 10·log10(Σr² / Σ(c − r)²). The range includes
zero, so that logits that hardly vary over a picture are measured against their own size.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import mask_values
from validate.metrics.margins import Decisions, Region, decisions, explained, margins
from validate.runtimes import Outputs

TINY = float(np.finfo(np.float32).tiny)
"""Stands for a range of zero, so that no figure is infinite."""


@dataclass(frozen=True)
class Comparison:
    """Sums over the pixels of one picture or of many.

    `low` and `high` are the reference's smallest and largest logit, zero included;
    `confusion (K, K)` counts pixels by the reference's label and the artifact's, or
    `(C, 2, 2)` those of each independent channel by whether it is there.
    `off_mask` counts pixels whose mask is not what the artifact's own logits say.
    """

    logits: int
    low: float
    high: float
    max_error: float
    error: float
    squared_error: float
    reference_energy: float
    candidate_energy: float
    product: float
    confusion: NDArray[np.int64]
    decisive_flips: int
    off_mask: int
    decisions: Decisions

    @property
    def range(self) -> float:
        """Of the reference's logits, zero included; never zero."""
        return max(self.high - self.low, TINY)

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(
            logits=self.logits + other.logits,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            max_error=max(self.max_error, other.max_error),
            error=self.error + other.error,
            squared_error=self.squared_error + other.squared_error,
            reference_energy=self.reference_energy + other.reference_energy,
            candidate_energy=self.candidate_energy + other.candidate_energy,
            product=self.product + other.product,
            confusion=self.confusion + other.confusion,
            decisive_flips=self.decisive_flips + other.decisive_flips,
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

    Errors are in logits, `relative_error` is the largest one as a share of the reference's
    range, `psnr` and `snr` are in dB and None where there is no error at all, `cosine` is
    None where a side is all zeros, `agreement` is the share of pixels with equal labels, for
    all pixels and apart for those beside another label (`boundary`) and the rest (`interior`).
    `margin` is the reference's mean margin, in logits, and `undecided` the share of pixels
    whose margin an error within the tolerance can overcome. Where channels are independent, the
    pixels of every channel are counted.
    """

    max_error: float
    mean_error: float
    rms_error: float
    relative_error: float
    range: float
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


def compare(reference: Outputs, candidate: Outputs, limit: float, slack: float) -> Comparison:
    """Compare one picture's outputs, `logits (C, H, W)` and its mask, all finite.

    A flipped pixel is decisive when errors up to `limit` (a share of the reference's range)
    cannot explain it; a mask may differ from its own logits' where their gap is within
    `slack` (the same).
    """
    theirs, ours = candidate.logits, reference.logits
    difference = theirs - ours
    low, high = min(float(ours.min()), 0.0), max(float(ours.max()), 0.0)
    scale = max(high - low, TINY)
    return Comparison(
        logits=ours.size,
        low=low,
        high=high,
        max_error=float(np.abs(difference).max()),
        error=float(np.abs(difference).sum(dtype=np.float64)),
        squared_error=_product(difference, difference),
        reference_energy=_product(ours, ours),
        candidate_energy=_product(theirs, theirs),
        product=_product(ours, theirs),
        confusion=_confusion(reference, candidate.mask),
        decisive_flips=_decisive_flips(reference, candidate.mask, limit * scale),
        off_mask=int((_own_gap(candidate) > slack * scale).sum()),
        decisions=decisions(reference, candidate.mask, limit * scale),
    )


def measure(comparison: Comparison) -> Metrics:
    """Derive the figures of one picture or of many."""
    rms = math.sqrt(comparison.squared_error / comparison.logits)
    energies = math.sqrt(comparison.reference_energy * comparison.candidate_energy)
    pixels = int(comparison.confusion.sum())
    same = int(comparison.confusion.diagonal(axis1=-2, axis2=-1).sum())
    counts, flips = comparison.decisions, pixels - same
    return Metrics(
        max_error=comparison.max_error,
        mean_error=comparison.error / comparison.logits,
        rms_error=rms,
        relative_error=comparison.max_error / comparison.range,
        range=comparison.range,
        psnr=20 * math.log10(comparison.range / rms) if rms else None,
        snr=_snr(comparison),
        cosine=min(1.0, comparison.product / energies) if energies else None,
        pixels=pixels,
        flips=flips,
        decisive_flips=comparison.decisive_flips,
        off_mask=comparison.off_mask,
        agreement=same / pixels,
        boundary=Region.of(counts.boundary, counts.boundary_flips),
        interior=Region.of(pixels - counts.boundary, flips - counts.boundary_flips),
        margin=counts.margin / pixels,
        undecided=counts.undecided / pixels,
        classes=_overlaps(comparison.confusion),
    )


def _decisive_flips(reference: Outputs, mask: NDArray[np.int32], error: float) -> int:
    flipped = reference.mask != mask
    if not flipped.any():
        return 0
    if reference.independent:
        gaps = np.abs(reference.logits[flipped])
    else:
        gaps = margins(reference.logits[:, flipped][:, None])[0]
    return int((gaps > explained(reference, error)).sum())


def _own_gap(outputs: Outputs) -> NDArray[np.float32]:
    """By how much each label of the mask misses the best of its own logits, as the mask is."""
    gap: NDArray[np.float32]
    if outputs.independent or len(outputs.logits) == 1:
        logits = outputs.logits.reshape(outputs.mask.shape)
        gap = np.maximum(np.where(outputs.mask == 1, -logits, logits), 0)
    else:
        labels = outputs.mask[None].astype(np.int64)
        gap = outputs.logits.max(axis=0) - np.take_along_axis(outputs.logits, labels, axis=0)[0]
    return gap


def _confusion(reference: Outputs, theirs: NDArray[np.int32]) -> NDArray[np.int64]:
    if reference.independent:
        pairs = zip(reference.mask, theirs, strict=True)
        return np.stack([_counts(ours, other, 2) for ours, other in pairs])
    return _counts(reference.mask, theirs, mask_values(len(reference.logits)))


def _counts(ours: NDArray[np.int32], theirs: NDArray[np.int32], values: int) -> NDArray[np.int64]:
    pairs = ours.astype(np.int64).ravel() * values + theirs.ravel()
    return np.bincount(pairs, minlength=values * values).reshape(values, values)


def _product(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.multiply(first, second).sum(dtype=np.float64))


def _snr(comparison: Comparison) -> float | None:
    if not comparison.squared_error:
        return None
    return 10 * math.log10(max(comparison.reference_energy, TINY) / comparison.squared_error)


def _overlaps(confusion: NDArray[np.int64]) -> tuple[ClassOverlap, ...]:
    both = confusion.diagonal(axis1=-2, axis2=-1)
    ours, theirs = confusion.sum(axis=-1), confusion.sum(axis=-2)
    if confusion.ndim == 3:  # of each channel what is there, and not what is not
        both, ours, theirs = both[:, 1], ours[:, 1], theirs[:, 1]
    counts = (column.tolist() for column in (ours, theirs, both, ours + theirs - both))
    return tuple(
        ClassOverlap(r, c, i, u, i / u if u else None) for r, c, i, u in zip(*counts, strict=True)
    )
