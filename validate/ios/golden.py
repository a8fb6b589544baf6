"""Describe what PyTorch computed on a picture, as DamageKit's GoldenFixture reads it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from validate.metrics.decision_values import split
from validate.metrics.margins import margins
from validate.runtimes import Outputs

SCHEMA = "2"
PROBES_PER_CHANNEL = 32


@dataclass(frozen=True)
class DeviceGate:
    """Hold the limits of an answer of the phone that counts as PyTorch's.

    Nothing that the mask is decided by (see `decision_values`) may be off by more than
    `largest_error`, a share of PyTorch's range; at most `decisive_flips` pixels may have another
    class where no such error explains it; and every class must have `min_iou` with PyTorch's mask,
    `agreeing_pixels` that agree added to it. `reason` justifies the limits.
    """

    largest_error: float
    decisive_flips: int
    min_iou: float
    agreeing_pixels: int
    reason: str


def describe_sample(
    name: str,
    file: str,
    picture: NDArray[np.uint8],
    outputs: Outputs,
    gate: DeviceGate,
    scale: float,
) -> dict[str, object]:
    """Return a sample's entry: `picture (H, W, 3)` at the model's size, PyTorch's `outputs`.

    `scale` is the range of what PyTorch's masks of all samples are decided by.
    """
    logits = outputs.logits
    return {
        "name": name,
        "picture": file,
        "fingerprint": fingerprint(picture.tobytes()),
        "mask_runs": runs(outputs.mask),
        "decisive_runs": runs(decisive(logits, gate.largest_error * scale).astype(np.int32)),
        "areas": areas(outputs.mask, max(2, len(logits))),
        "logits": digest(outputs, scale),
    }


def describe_fixture(
    bundle: str,
    checkpoint_sha256: str,
    labels: Sequence[str],
    size: tuple[int, int],
    gate: DeviceGate,
    samples: Sequence[dict[str, object]],
) -> dict[str, object]:
    """Return the document of `<model>.golden.json`; `size` is width and height."""
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


def digest(outputs: Outputs, scale: float) -> dict[str, object]:
    """Return some of what a mask is decided by, evenly spread over each channel, and its range.

    That is a logit less the mean of all classes at its pixel, or the logit of a single channel.
    """
    values = split(outputs)[0].reshape(outputs.logits.shape)
    return {
        "range": scale,
        "probes": [
            {"channel": channel, "y": y, "x": x, "value": float(values[channel, y, x])}
            for channel, y, x in probes(values.shape)
        ],
    }


def probes(shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return places `(channel, y, x)` spread evenly over each channel of `shape (C, H, W)`."""
    channels, height, width = shape
    spots = np.linspace(0, height * width - 1, min(PROBES_PER_CHANNEL, height * width))
    places = [divmod(int(spot), width) for spot in np.rint(spots)]
    return [(channel, y, x) for channel in range(channels) for y, x in places]


def decisive(logits: NDArray[np.float32], error: float) -> NDArray[np.bool_]:
    """Mark the pixels `(H, W)` whose class no error of logits up to `error` can change.

    An error moves each of two logits against the other, but the logit of a single channel
    against zero.
    """
    moves = min(2, len(logits))
    return np.asarray(margins(logits) > moves * error)


def runs(mask: NDArray[np.generic]) -> list[int]:
    """Return `mask (H, W)` run-length encoded: value, length, value, length, row after row.

    >>> runs(np.array([[0, 0], [0, 2]]))
    [0, 3, 2, 1]
    """
    flat = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size))
    return [int(n) for pair in zip(flat[starts], lengths, strict=True) for n in pair]


def areas(mask: NDArray[np.int32], classes: int) -> list[dict[str, object]]:
    """Return the pixels and the percentage of `mask (H, W)` that each class covers."""
    counts = np.bincount(mask.ravel(), minlength=classes)[:classes].tolist()
    total = max(mask.size, 1)
    return [
        {"value": value, "pixels": pixels, "percent": 100 * pixels / total}
        for value, pixels in enumerate(counts)
    ]


def fingerprint(data: bytes) -> str:
    """Return the 64-bit FNV-1a (RFC 9923) of `data`, in hexadecimal.

    >>> fingerprint(b"a")
    'af63dc4c8601ec8c'
    """
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
