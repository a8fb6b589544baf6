"""Judge a device's answer as DamageKit's ParityResult does."""

import numpy as np
from numpy.typing import NDArray

from damagekit.masks import Mask, decide, intersection_over_union
from validate.ios.golden import DeviceGate, decisive, digest
from validate.metrics.decision_values import scale_of
from validate.runtimes import Outputs


def outputs_of(logits: NDArray[np.float32]) -> Outputs:
    """Return logits `(C, H, W)` with their mask."""
    return Outputs(logits, decide(logits))


def range_of(reference: NDArray[np.float32]) -> float:
    """Return the range of what the mask of logits `(C, H, W)` is decided by."""
    return float(scale_of([outputs_of(reference)]).range[0])


def compare(
    sample: str,
    reference: NDArray[np.float32],
    mask: Mask,
    gate: DeviceGate,
    error: float | None,
) -> dict[str, object]:
    """Return the result of a device's mask beside PyTorch's logits `reference (C, H, W)`."""
    expected, classes = decide(reference), max(2, len(reference))
    sure = decisive(reference, gate.largest_error * range_of(reference))
    flips = int((sure & (mask != expected)).sum())
    off = error is not None and error > gate.largest_error
    padded = intersection_over_union(mask, expected, classes, gate.agreeing_pixels)
    proven = all(each is None or each >= gate.min_iou for each in padded)
    return {
        "sample": sample,
        "pixels": mask.size,
        "agreeing": int((mask == expected).sum()),
        "decisive": int(sure.sum()),
        "decisive_flips": flips,
        "intersection_over_union": intersection_over_union(mask, expected, classes),
        "largest_error": error,
        "passed": flips <= gate.decisive_flips and not off and proven,
    }


def largest_error(reference: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    """Return the largest difference at the digest's probes, as a share of the range."""
    scale = range_of(reference)
    expected, actual = (
        np.array([probe["value"] for probe in digest(outputs_of(each), scale)["probes"]])  # type: ignore[attr-defined]
        for each in (reference, logits)
    )
    return float(np.abs(actual - expected).max()) / scale
