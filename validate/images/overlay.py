"""Convert colours, masks and pictures to what people look at."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from validate.images.reading import Picture, RGBImage

Colour = tuple[int, int, int, int]
"""Red, green, blue and alpha, each in 0…255."""


def rgba(text: str) -> Colour:
    """Return red, green, blue and alpha of a colour written `0xRRGGBBAA`.

    Raises ValueError for other text.

    >>> rgba("0xD55E0099")
    (213, 94, 0, 153)
    """
    red, green, blue, alpha = bytes.fromhex(text.removeprefix("0x"))
    return red, green, blue, alpha


def palette_image(mask: NDArray[np.integer], colours: Sequence[Colour]) -> Image.Image:
    """Return `mask (H, W)` as a Pillow picture in mode P: values stay, value k is `colours[k]`.

    The alphas are left out, since each file format stores them in its own way.
    """
    picture = Image.fromarray(mask.astype(np.uint8))
    picture.putpalette([part for colour in colours for part in colour[:3]])
    return picture


def as_rgb(picture: Picture) -> RGBImage:
    """Return the first three channels of `picture (H, W, C)`, or the first one as grey."""
    channels = [0, 1, 2] if picture.shape[2] >= 3 else [0, 0, 0]
    chosen = picture[:, :, channels]
    return np.asarray(chosen if chosen.dtype == np.uint8 else np.rint(chosen * 255), np.uint8)
