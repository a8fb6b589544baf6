"""How far each kind of artifact may be from PyTorch: one table, each value with its reason.

Label agreement and IoU are reported and not judged: where the network itself can hardly decide,
a healthy file flips labels too. Decisive flips are judged, and none is allowed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from validate.metrics.comparison import Metrics
from validate.metrics.float16_noise import Noise

Row = tuple[str, str]
"""A format and the arithmetic that it is run in."""


@dataclass(frozen=True)
class Tolerance:
    """Limits for one format in one arithmetic.

    max_error    largest error of any picture, as a share of its reference's logit range
    min_psnr     over all pictures, in dB
    mask_slack   how far below the best of its own logits a mask's class may lie, as a share of
                 the reference's range
    reason       why these values
    """

    max_error: float
    min_psnr: float
    mask_slack: float
    reason: str


@dataclass(frozen=True)
class TolerancesFile:
    """A file that gave tolerances in the place of the table's: its name and SHA-256."""

    name: str
    sha256: str


FLOAT32 = Tolerance(
    max_error=2e-4,
    min_psnr=85.0,
    mask_slack=1e-6,
    reason=(
        "float32 files differ from PyTorch by the order of their sums only: 110 dB and 1e-5 of "
        "the range on trained and untrained networks. A tenth of that precision passes."
    ),
)
FLOAT16 = Tolerance(
    max_error=1e-2,
    min_psnr=60.0,
    mask_slack=2**-10,
    reason=(
        "Trained U-Nets are at 71 to 80 dB in float16, and their largest error on any of 15 "
        "photos at 0.6 % of the range. The mask is chosen before the logits are rounded on "
        "some units: one float16 step is allowed."
    ),
)

TABLE: Mapping[Row, Tolerance] = {
    ("torchscript", "float32"): FLOAT32,
    ("onnx", "float32"): FLOAT32,
    ("mlprogram", "float32"): FLOAT32,
    ("mlprogram", "float16"): FLOAT16,
    ("neuralnetwork", "float32"): FLOAT32,
    ("neuralnetwork", "float16"): replace(
        FLOAT16,
        reason=(
            "Core ML computes a NeuralNetwork in float16 wherever the Neural Engine or the GPU "
            f"takes it, although its weights are float32. {FLOAT16.reason}"
        ),
    ),
}

NOISE_FACTOR = 4.0
"""Float16 files may be this many times noisier than the network's own rounding noise, which is
measured on two pictures only: the largest error of a set was up to 2.8 times as large."""

WORST = Tolerance(
    max_error=0.3,
    min_psnr=25.0,
    mask_slack=2**-10,
    reason="Beyond this, float16 does not suit the network, whatever its rounding explains.",
)


def row_of(format: str, precision: str, runtime: str) -> Row:
    """The row of the table that an artifact is judged by in a runtime.

    Core ML itself computes a NeuralNetwork in float16, see there.
    """
    if format == "neuralnetwork" and runtime == "Core ML":
        return format, "float16"
    return format, precision


def tolerance_for(
    row: Row, noise: Noise | None, given: Mapping[Row, Tolerance] | None = None
) -> Tolerance:
    """The table's tolerance, widened for float16 to what the network's own `noise` explains.

    A noise of None means that rounding alone ruins the network: then nothing is widened
    beyond the table's row, and the file has to be better than that. A `given` row takes the
    place of the table's, and is never widened.
    """
    if given and row in given:
        return given[row]
    table = TABLE[row]
    if row[1] != "float16" or noise is None:
        return table
    error = noise.relative_error * NOISE_FACTOR
    psnr = math.inf if noise.psnr is None else noise.psnr - 20 * math.log10(NOISE_FACTOR)
    wider = replace(
        table,
        max_error=min(max(table.max_error, error), WORST.max_error),
        min_psnr=max(min(table.min_psnr, psnr), WORST.min_psnr),
    )
    if wider == table:
        return table
    worst = "" if noise.psnr is None else f"{noise.psnr:.0f} dB and "
    return replace(
        wider,
        reason=(
            f"Rounding every layer to float16 moves this network's own logits by {worst}"
            f"{noise.relative_error * 100:.2g} % of the range in PyTorch; "
            f"{NOISE_FACTOR:g} times that is tolerated."
        ),
    )


def violations(total: Metrics, worst_error: float, tolerance: Tolerance) -> tuple[str, ...]:
    """Sentences on every limit that is exceeded; none means that the file passes.

    `worst_error` is the largest `relative_error` of any picture.
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
    return tuple(found)


def _pixels(count: int) -> str:
    return f"{count:,} pixel has" if count == 1 else f"{count:,} pixels have"
