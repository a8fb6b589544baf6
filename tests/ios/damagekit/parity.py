"""Judge a device's answer as DamageKit's ParityResult does."""

import numpy as np
from numpy.typing import NDArray

from damagekit.masks import Mask, decide, intersection_over_union
from validate.ios.golden import DeviceGate, decisive, probes, span


def compare(
    sample: str, reference: NDArray[np.float32], mask: Mask, gate: DeviceGate, error: float | None
) -> dict[str, object]:
    """Return the result of a device's mask beside PyTorch's logits `reference (C, H, W)`."""
    expected = decide(reference)
    sure = decisive(reference, gate.largest_error)
    flips = int((sure & (mask != expected)).sum())
    off = error is not None and error > gate.largest_error
    return {
        "sample": sample,
        "pixels": mask.size,
        "agreeing": int((mask == expected).sum()),
        "decisive": int(sure.sum()),
        "decisive_flips": flips,
        "intersection_over_union": intersection_over_union(mask, expected, max(2, len(reference))),
        "largest_error": error,
        "passed": flips <= gate.decisive_flips and not off,
    }


def largest_error(reference: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    """Return the largest difference at the digest's probes, as a share of the range."""
    differences = (abs(float(logits[at] - reference[at])) for at in probes(reference.shape))
    return max(differences) / span(reference)
