"""Say how far each kind of artifact may be from PyTorch: one table, each value with its reason.

Limits follow the network's own rounding noise, within bounds, in both directions: what a noisy
network loses is no fault of its file, and what a quiet one does not lose is. Flips of single
pixels are not judged unless they are decisive; but whatever the figures, the masks must agree.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from validate.metrics.comparison import ClassOverlap, Metrics
from validate.metrics.float16_noise import Noise

Row = tuple[str, str]
"""A format and the arithmetic that it is run in."""


@dataclass(frozen=True)
class Tolerance:
    """Hold the limits for one format in one arithmetic.

    max_error    largest error of any picture, as a share of PyTorch's logit range
    min_psnr     over all pictures, in dB
    mask_slack   how far below the best of its own logits a mask's class may lie, as a share of
                 the largest of them
    min_iou      least IoU of each class over all pictures (see `overlap`)
    max_shared   largest error of what exclusive classes share, as a share of the largest logit
    reason       why these values
    """

    max_error: float
    min_psnr: float
    mask_slack: float
    min_iou: float
    max_shared: float
    reason: str


@dataclass(frozen=True)
class TolerancesFile:
    """Hold a file that gave tolerances in the place of the table's: its name and SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class NoiseLimits:
    """Hold how many times the network's own noise an arithmetic may lose, and the bounds of that.

    `strictest` and `loosest` are a largest error, as a share of the range, and a PSNR in dB.
    """

    largest: float
    whole: float
    strictest: tuple[float, float]
    loosest: tuple[float, float]


FLOAT32 = Tolerance(
    max_error=2e-4,
    min_psnr=85.0,
    mask_slack=1e-6,
    min_iou=0.98,
    max_shared=2e-4,
    reason="float32 files differ from PyTorch by the order of their sums only.",
)
FLOAT16 = Tolerance(
    max_error=1e-2,
    min_psnr=60.0,
    mask_slack=2**-10,
    min_iou=0.92,
    max_shared=0.1,
    reason="Rounding every layer ruins this network in PyTorch, so that it explains nothing.",
)

TABLE: Mapping[Row, Tolerance] = {
    ("torchscript", "float32"): FLOAT32,
    ("onnx", "float32"): FLOAT32,
    ("mlprogram", "float32"): FLOAT32,
    ("mlprogram", "float16"): FLOAT16,
    ("neuralnetwork", "float32"): FLOAT32,
    ("neuralnetwork", "float16"): FLOAT16,
}
"""Limits where the noise is not known, and those that a file of tolerances leaves out."""

NOISE_LIMITS: Mapping[str, NoiseLimits] = {
    "float32": NoiseLimits(256.0, 256.0, strictest=(5e-5, 100.0), loosest=(2e-4, 85.0)),
    "float16": NoiseLimits(6.0, 3.0, strictest=(5e-3, 66.0), loosest=(0.3, 25.0)),
}
"""Of float16 files, whose weights are rounded too, the largest error of a set was up to 2.9 times
that of the two pictures whose noise is measured, and the whole 1.8 times. Float32 sums are rounded
at every term, in another order: 9 times; and more where a processor has other convolutions."""

AGREEING = 128
"""So many agreeing pixels are added to each class, so that a spot of ten pixels that hardly any
network decides firmly does not fail a file."""


def row_of(format: str, precision: str, runtime: str) -> Row:
    """Return the row of the table that an artifact is judged by in a runtime.

    Core ML itself computes a NeuralNetwork in float16, see there.
    """
    if format == "neuralnetwork" and runtime == "Core ML":
        return format, "float16"
    return format, precision


def tolerance_for(
    row: Row, noise: Noise | None, given: Mapping[Row, Tolerance] | None = None
) -> Tolerance:
    """Return the limits of `row` for a network of that `noise`.

    A noise of None means that it is not known, or that rounding alone ruins the network: then
    the table's row holds. A `given` row takes the place of both.
    """
    if given and row in given:
        return given[row]
    table = TABLE[row]
    if noise is None:
        return table
    limits = NOISE_LIMITS[row[1]]
    largest, whole = _noise_in(row[1], noise)
    worst, quietest = limits.loosest
    psnr = _decibels(limits.whole * whole)
    return replace(
        table,
        max_error=min(max(limits.largest * largest, limits.strictest[0]), worst),
        min_psnr=max(min(psnr, limits.strictest[1]), quietest),
        reason=_reason(row[1], noise, limits),
    )


def _noise_in(arithmetic: str, noise: Noise) -> tuple[float, float]:
    """Return the largest and the RMS error that rounding explains, as shares of the range.

    float32 has 13 bits more than float16; what all classes share beyond the range is rounded too.
    """
    whole = 0.0 if noise.psnr is None else 10 ** (-noise.psnr / 20)
    if arithmetic == "float16":
        return noise.relative_error, whole
    shared = max(0.0, noise.magnitude - 1) * 2.0**-24
    return noise.relative_error * 2.0**-13 + shared, whole * 2.0**-13 + shared


def _decibels(share: float) -> float:
    return -20 * math.log10(share) if share else math.inf


def _reason(arithmetic: str, noise: Noise, limits: NoiseLimits) -> str:
    worst = "" if noise.psnr is None else f"{noise.psnr:.0f} dB and "
    moved = (
        f"Rounding every layer to float16 moves this network's own logits by {worst}"
        f"{noise.relative_error * 100:.2g} % of the range in PyTorch"
    )
    if arithmetic == "float32":
        return f"{moved}; float32 keeps 13 bits more, and {limits.whole:g} times that is tolerated."
    return (
        f"{moved}; {limits.whole:g} times that on the whole and {limits.largest:g} times at any "
        "pixel is tolerated."
    )


def violations(
    total: Metrics, worst_error: float, tolerance: Tolerance, labels: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return a sentence on every limit that is exceeded; none means that the file passes.

    `worst_error` is the largest `relative_error` of any picture; `labels` name the classes.
    """
    found = []
    if worst_error > tolerance.max_error:
        found.append(
            f"its largest error is {worst_error * 100:.2g} % of the logit range, "
            f"{tolerance.max_error * 100:.2g} % is tolerated"
        )
    if total.psnr is not None and total.psnr < tolerance.min_psnr:
        found.append(f"its PSNR is {total.psnr:.1f} dB, {tolerance.min_psnr:.1f} dB are required")
    if total.decisive_flips:
        found.append(
            f"{_pixels(total.decisive_flips)} a label that PyTorch had decided otherwise, "
            "by more than the tolerated error explains"
        )
    if total.off_mask:
        found.append(f"{_pixels(total.off_mask)} a mask that contradicts the file's own logits")
    if total.shared_error > tolerance.max_shared:
        found.append(
            "its logits are off by a number that all classes share, up to "
            f"{total.shared_error * 100:.2g} % of the largest logit, where "
            f"{tolerance.max_shared * 100:.2g} % is tolerated: no mask shows it, but other uses of "
            "the logits do"
        )
    worst = min(range(len(total.classes)), key=lambda index: overlap(total.classes[index]))
    if overlap(total.classes[worst]) < tolerance.min_iou:
        label = labels[worst] if labels else f"class {worst}"
        found.append(_unproven(label, total.classes[worst], total.undecided, tolerance.min_iou))
    return tuple(found)


def overlap(classes: ClassOverlap) -> float:
    """Return the IoU that is judged: of a class with AGREEING more pixels that agree."""
    return (classes.intersection + AGREEING) / (classes.union + AGREEING)


def _unproven(label: str, classes: ClassOverlap, undecided: float, limit: float) -> str:
    return (
        f"its mask of {label} is not proven: {classes.union - classes.intersection:,} of "
        f"{classes.union:,} pixels differ from PyTorch's (IoU {classes.iou or 0:.3f}, {limit:g} is "
        f"required), and {undecided * 100:.2g} % of all pixels are decided by less than the "
        "tolerated error"
    )


def _pixels(count: int) -> str:
    return f"{count:,} pixel has" if count == 1 else f"{count:,} pixels have"
