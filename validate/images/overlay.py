"""A mask as transparent colours: DamageKit's overlay in numpy."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from validate.images.reading import Picture, RGBImage
from validate.ios.masks import Mask


def parse_colour(text: str) -> tuple[int, int, int, int] | None:
    """Red, green, blue and alpha of `0xRRGGBBAA`; None for other text.

    >>> parse_colour("0xD55E0099")
    (213, 94, 0, 153)
    """
    if len(text) != 10 or not text.startswith("0x"):
        return None
    try:
        red, green, blue, alpha = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return red, green, blue, alpha


def paint(
    mask: Mask,
    palette: Sequence[tuple[int, int, int, int]],
    *,
    hidden: Collection[int] = (),
    opacity: float = 1,
    premultiplied: bool,
) -> NDArray[np.uint8]:
    """The overlay `(H, W, 4)`; hidden classes and those beyond the palette are transparent."""
    colours = np.zeros((max(int(mask.max()) + 1, len(palette)), 4), np.int64)
    shown = [index for index in range(len(palette)) if index not in hidden]
    colours[shown] = [palette[index] for index in shown]
    alpha = np.floor(colours[:, 3] * min(max(opacity, 0), 1) + 0.5).astype(np.int64)
    colours[shown, 3] = alpha[shown]
    if premultiplied:
        colours[:, :3] = (colours[:, :3] * colours[:, 3:] + 127) // 255
    return colours.astype(np.uint8)[mask]


def as_rgb(picture: Picture) -> RGBImage:
    """`picture (H, W, C)` for people: its first three channels, or the first one as grey."""
    channels = [0, 1, 2] if picture.shape[2] >= 3 else [0, 0, 0]
    chosen = picture[:, :, channels]
    return np.asarray(chosen if chosen.dtype == np.uint8 else np.rint(chosen * 255), np.uint8)
