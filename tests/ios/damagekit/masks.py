"""Decide, restrict and paint masks as DamageKit does, where the product itself does not."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from validate.images.overlay import Colour
from validate.ios.golden import areas

Mask = NDArray[np.int32]
"""The class of every pixel, `(H, W)`."""
Rectangle = tuple[int, int, int, int]
"""Left, top, width and height."""


def read_strided(
    buffer: bytes, dtype: str, shape: Sequence[int], strides: Sequence[int]
) -> NDArray[np.generic]:
    """Return the tensor in `buffer`; `strides` count numbers, as in an MLMultiArray."""
    numbers = np.frombuffer(buffer, np.dtype(dtype).newbyteorder("<"))
    return as_strided(numbers, tuple(shape), tuple(s * numbers.itemsize for s in strides))


def decide(logits: NDArray[np.float32], threshold: float = 0) -> Mask:
    """Return the mask of `logits (C, H, W)`: the first largest, or one channel above `threshold`.

    Raises ValueError when a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise ValueError("logits are not finite")
    if len(logits) == 1:
        return np.asarray(logits[0] > np.float32(threshold), np.int32)
    return np.asarray(logits.argmax(axis=0), np.int32)


def areas_in(mask: Mask, classes: int, region: Rectangle | None) -> list[dict[str, object]]:
    """Return the area of each class in `region`, of which parts may lie outside; None is all."""
    if region is not None:
        left, top, width, height = region
        mask = mask[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    return areas(mask, classes)


def intersection_over_union(
    first: Mask, second: Mask, classes: int, adding: int = 0
) -> list[float | None]:
    """Return the IoU of each class, with pixels that agree added; None where neither has it."""
    ratios: list[float | None] = []
    for value in range(classes):
        either = int(((first == value) | (second == value)).sum())
        both = int(((first == value) & (second == value)).sum())
        ratios.append((both + adding) / (either + adding) if either else None)
    return ratios


def parse_colour(text: str) -> Colour | None:
    """Return red, green, blue and alpha of `0xRRGGBBAA`; None for other text."""
    if len(text) != 10 or not text.startswith("0x"):
        return None
    try:
        red, green, blue, alpha = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return red, green, blue, alpha


def paint(
    mask: Mask,
    palette: Sequence[Colour],
    *,
    hidden: Collection[int] = (),
    opacity: float = 1,
    premultiplied: bool,
) -> NDArray[np.uint8]:
    """Return the overlay `(H, W, 4)`; hidden classes and those beyond the palette are clear."""
    colours = np.zeros((max(int(mask.max()) + 1, len(palette)), 4), np.int64)
    shown = [index for index in range(len(palette)) if index not in hidden]
    colours[shown] = [palette[index] for index in shown]
    alpha = np.floor(colours[:, 3] * min(max(opacity, 0), 1) + 0.5).astype(np.int64)
    colours[shown, 3] = alpha[shown]
    if premultiplied:
        colours[:, :3] = (colours[:, :3] * colours[:, 3:] + 127) // 255
    return colours.astype(np.uint8)[mask]
