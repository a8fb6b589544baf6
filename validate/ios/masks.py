"""From logits to masks, areas and agreement: DamageKit's decisions in numpy."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from validate.metrics.margins import margins

Mask = NDArray[np.int32]
"""The class of every pixel, `(H, W)`."""
Rectangle = tuple[int, int, int, int]
"""Left, top, width and height."""


@dataclass(frozen=True)
class Area:
    """How many pixels a class covers, and how many percent of those looked at."""

    value: int
    pixels: int
    percent: float


def read_strided(
    buffer: bytes, dtype: str, shape: Sequence[int], strides: Sequence[int]
) -> NDArray[np.generic]:
    """The tensor that lies in `buffer`; `strides` count numbers, as in an MLMultiArray."""
    numbers = np.frombuffer(buffer, np.dtype(dtype).newbyteorder("<"))
    return as_strided(numbers, tuple(shape), tuple(s * numbers.itemsize for s in strides))


def decide(logits: NDArray[np.float32], threshold: float = 0) -> Mask:
    """The mask of `logits (C, H, W)`: first largest, or above `threshold` for one channel.

    Raises ValueError when a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise ValueError("logits are not finite")
    if len(logits) == 1:
        return np.asarray(logits[0] > np.float32(threshold), np.int32)
    return np.asarray(logits.argmax(axis=0), np.int32)


def span(logits: NDArray[np.float32]) -> float:
    """The range of logits, zero included, which errors are a share of."""
    return max(float(logits.max()), 0.0) - min(float(logits.min()), 0.0)


def decisive(logits: NDArray[np.float32], error: float) -> NDArray[np.bool_]:
    """Pixels `(H, W)` whose class no error up to `error` of the range can change.

    An error moves each of two logits against the other, but the logit of a single channel
    against zero.
    """
    moves = min(2, len(logits))
    return np.asarray(margins(logits) > moves * error * span(logits))


def runs(mask: NDArray[np.generic]) -> list[int]:
    """Value, length, value, length and so on, row after row.

    >>> runs(np.array([[0, 0], [0, 2]]))
    [0, 3, 2, 1]
    """
    flat = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size))
    return [int(n) for pair in zip(flat[starts], lengths, strict=True) for n in pair]


def areas(mask: Mask, classes: int, region: Rectangle | None = None) -> list[dict[str, object]]:
    """The area of each class in `region` (left, top, width, height), everywhere by default."""
    if region is not None:
        left, top, width, height = region
        mask = mask[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    counts = np.bincount(mask.ravel(), minlength=classes)[:classes]
    total = max(mask.size, 1)
    return [asdict(Area(v, int(n), 100 * int(n) / total)) for v, n in enumerate(counts)]


def intersection_over_union(first: Mask, second: Mask, classes: int) -> list[float | None]:
    """Of each class; None where neither mask has it."""
    ratios: list[float | None] = []
    for value in range(classes):
        mine, its = first == value, second == value
        either = int((mine | its).sum())
        ratios.append(int((mine & its).sum()) / either if either else None)
    return ratios


def fingerprint(data: bytes) -> str:
    """64-bit FNV-1a (RFC 9923) of `data`, in hexadecimal.

    >>> fingerprint(b"a")
    'af63dc4c8601ec8c'
    """
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
