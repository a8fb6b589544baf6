"""Encode pictures of the page as data URIs: photos, and masks that lie over them.

Masks are PNGs with a palette, transparent where nothing is to be seen, so that one photo
serves under all of them.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from validate.images.overlay import Colour, palette_image, rgba
from validate.images.reading import RGBImage
from validate.runtimes import SmallMask, small_type

QUALITY = 75
DIFFERENT = (255, 0, 170, 255)
"""Magenta, which neither cars nor the label colours have."""
CLEAR = (0, 0, 0, 0)
HEAT = (
    CLEAR,
    *((255, 225, 70, 150), (255, 165, 0, 165), (240, 90, 0, 180)),
    *((205, 20, 40, 190), (140, 0, 110, 200), (60, 0, 130, 210)),
)
"""Colours of error levels: the darker, the larger the error."""


def photo_uri(image: RGBImage) -> str:
    """Return `image (H, W, 3)` as a WebP in a data URI."""
    return _uri(Image.fromarray(image), "WEBP", quality=QUALITY)


def mask_uri(mask: SmallMask, colours: Sequence[str], order: Sequence[int] = ()) -> str:
    """Return `mask (H, W)` as a PNG in a data URI, label k in `colours[k]` (`0xRRGGBBAA`).

    In a mask `(C, H, W)` of independent channels each has a colour; a pixel has that of the
    channel that comes last in `order`.
    """
    palette = [rgba(colour) for colour in colours]
    if mask.ndim == 2:
        return _palette_uri(mask, palette)
    return _palette_uri(_uppermost(mask, order), [CLEAR, *palette])


def _uppermost(mask: SmallMask, order: Sequence[int]) -> SmallMask:
    """Return the last channel of `order` that is set in `mask (C, H, W)`, from 1; 0 for none."""
    painted = np.zeros(mask.shape[1:], small_type(len(mask) + 1))
    for channel in order:
        painted[mask[channel] > 0] = channel + 1
    return painted


def difference_uri(where: NDArray[np.bool_]) -> str:
    """Return the pixels `where (H, W)` two masks differ, each enlarged so that it is seen."""
    return _palette_uri(_grown(where), [CLEAR, DIFFERENT])


def heat_uri(levels: NDArray[np.uint8]) -> str:
    """Return error levels `(H, W)` in the colours of HEAT."""
    return _palette_uri(levels, HEAT)


def _grown(where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    size = 2 * max(1, max(where.shape) // 160) + 1
    return np.asarray(Image.fromarray(where.astype(np.uint8)).filter(ImageFilter.MaxFilter(size)))


def _palette_uri(indices: SmallMask, colours: Sequence[Colour]) -> str:
    if len(colours) > 256:  # more than a palette holds
        return _uri(Image.fromarray(np.array(colours, np.uint8)[indices]), "PNG", optimize=True)
    alphas = bytes(colour[3] for colour in colours)
    return _uri(palette_image(indices, colours), "PNG", optimize=True, transparency=alphas)


def _uri(picture: Image.Image, format: str, **options: object) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{format.lower()};base64,{data}"
