"""Pictures of the page as data URIs: photos, and masks that lie over them.

Masks are PNGs with a palette, transparent where nothing is to be seen, so that one photo
serves under all of them.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from validate.images.reading import RGBImage
from validate.runtimes import SmallMask, small_type

QUALITY = 75
DIFFERENT = (255, 0, 170, 255)  # magenta, which neither cars nor the label colours have
CLEAR = (0, 0, 0, 0)


def photo_uri(image: RGBImage) -> str:
    """`image (H, W, 3)` as a WebP in a data URI."""
    return _uri(Image.fromarray(image), "WEBP", quality=QUALITY)


def mask_uri(mask: SmallMask, colours: Sequence[str], order: Sequence[int] = ()) -> str:
    """`mask (H, W)`, label k in `colours[k]`, written `0xRRGGBBAA`.

    Of independent channels `(C, H, W)`, each has a colour; they are painted in this `order`.
    """
    painted = [_rgba(colour) for colour in colours]
    if mask.ndim == 2:
        return _labels_uri(mask, painted)
    return _labels_uri(_covered(mask, order), [CLEAR, *painted])


def _covered(mask: SmallMask, order: Sequence[int]) -> SmallMask:
    """The channel of `mask (C, H, W)` that was painted last, counted from 1; 0 for none."""
    painted = np.zeros(mask.shape[1:], small_type(len(mask) + 1))
    for channel in order:
        painted[mask[channel] > 0] = channel + 1
    return painted


def difference_uri(where: NDArray[np.bool_]) -> str:
    """The pixels `where (H, W)` two masks differ, each with a square around it to be seen."""
    return _labels_uri(_grown(where), [CLEAR, DIFFERENT])


def _grown(where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    size = 2 * max(1, max(where.shape) // 160) + 1
    return np.asarray(Image.fromarray(where.astype(np.uint8)).filter(ImageFilter.MaxFilter(size)))


def _labels_uri(indices: SmallMask, colours: Sequence[tuple[int, ...]]) -> str:
    if len(colours) > 256:  # more than a palette holds
        return _uri(Image.fromarray(np.array(colours, np.uint8)[indices]), "PNG", optimize=True)
    height, width = indices.shape
    picture = Image.frombytes("P", (width, height), indices.tobytes())
    picture.putpalette([value for colour in colours for value in colour[:3]])
    alphas = bytes(colour[3] for colour in colours)
    return _uri(picture, "PNG", optimize=True, transparency=alphas)


def _rgba(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("0x")))


def _uri(picture: Image.Image, format: str, **options: object) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{format.lower()};base64,{data}"
