"""What PyTorch computed on a picture, described for the app: see DamageKit's GoldenFixture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from validate.ios.masks import (
    Mask,
    areas,
    decide,
    decisive,
    fingerprint,
    intersection_over_union,
    runs,
    span,
)

SCHEMA = "1"
PROBES_PER_CHANNEL = 32


@dataclass(frozen=True)
class Gate:
    """When a device's answer counts as PyTorch's: what a phone can judge of the report's gate.

    No logit may be off by more than `largest_error`, a share of the reference's range (zero
    included), and `decisive_flips` pixels may have another class although no such error
    explains it. `reason` says why.
    """

    largest_error: float
    decisive_flips: int
    reason: str


def describe_sample(
    name: str,
    file: str,
    picture: NDArray[np.uint8],
    logits: NDArray[np.float32],
    gate: Gate,
) -> dict[str, object]:
    """A sample's entry: `picture (H, W, 3)` at the model's size, `logits (C, H, W)` of PyTorch."""
    mask = decide(logits)
    return {
        "name": name,
        "picture": file,
        "fingerprint": fingerprint(picture.tobytes()),
        "mask_runs": runs(mask),
        "decisive_runs": runs(decisive(logits, gate.largest_error).astype(np.int32)),
        "areas": areas(mask, max(2, len(logits))),
        "logits": digest(logits),
    }


def describe_fixture(
    bundle: str,
    checkpoint_sha256: str,
    labels: Sequence[str],
    size: tuple[int, int],
    gate: Gate,
    samples: Sequence[dict[str, object]],
) -> dict[str, object]:
    """The whole of `<model>.golden.json`; `size` is width and height."""
    return {
        "schema": SCHEMA,
        "bundle": bundle,
        "checkpoint_sha256": checkpoint_sha256,
        "labels": list(labels),
        "width": size[0],
        "height": size[1],
        "gate": asdict(gate),
        "samples": list(samples),
    }


def digest(logits: NDArray[np.float32]) -> dict[str, object]:
    """Extremes, mean, and values at places spread evenly over each channel of `(C, H, W)`."""
    return {
        "minimum": float(logits.min()),
        "maximum": float(logits.max()),
        "mean": float(logits.mean(dtype=np.float64)),
        "probes": [
            {"channel": channel, "y": y, "x": x, "value": float(logits[channel, y, x])}
            for channel, y, x in _probes(logits.shape)
        ],
    }


def compare(
    sample: str, reference: NDArray[np.float32], mask: Mask, gate: Gate, error: float | None
) -> dict[str, object]:
    """How a device's mask compares with PyTorch's logits: see DamageKit's ParityResult."""
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
    """The largest difference at the digest's probes, as a share of the reference's range."""
    difference = 0.0
    for channel, y, x in _probes(reference.shape):
        difference = max(difference, abs(float(logits[channel, y, x] - reference[channel, y, x])))
    return difference / span(reference)


def _probes(shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Places `(channel, y, x)` spread evenly over each channel of `(C, H, W)`."""
    channels, height, width = shape
    spots = np.linspace(0, height * width - 1, min(PROBES_PER_CHANNEL, height * width))
    places = [divmod(int(spot), width) for spot in np.rint(spots)]
    return [(channel, y, x) for channel in range(channels) for y, x in places]
