"""Read pictures as a training pipeline does: upright, stretched without antialiasing.

As in `cv2.imread`, an alpha channel is dropped (unless four channels are asked for), as are
frames after the first and the lower byte of 16-bit samples. CMYK and palettes become RGB,
greyscale fills three channels; colours become grey by ITU-R BT.601's luma.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from models.common.paths import POINTER, is_lfs_pointer
from models.common.text import first_line

RGBImage = NDArray[np.uint8]
"""A picture `(H, W, 3)`, red first."""
Picture = NDArray[np.uint8 | np.float32]
"""A picture `(H, W, C)`: uint8 in 0…255, or float32 in [0, 1]."""

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's formats of photos. Others start programs (EPS), or are decoded by code little tried."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's modes that photos can be read in, by the number of channels."""
WIDE_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")


class UnreadablePicture(Exception):
    """Say in a few words why a file is no picture that can be used."""


def read_picture(path: Path, channels: int = 3) -> RGBImage:
    """Return the photo in `path`, upright by its EXIF orientation, `(H, W, channels)` in 0…255.

    One channel is grey, three are RGB, four RGBA, opaque where the photo has no alpha.
    Raise UnreadablePicture for a file that is no picture, is damaged, or is so large
    (Pillow's limit, about 89 million pixels) that it may be a decompression bomb.
    """
    mode = MODES[channels]
    try:
        with _unwarned(), Image.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise Image.DecompressionBombError  # from twice as many on, Pillow raises it itself
            ImageOps.exif_transpose(picture, in_place=True)  # a copy of a large photo is large
            pixels = np.asarray(_converted(picture, mode))
            return pixels.reshape(*pixels.shape[:2], channels)
    except UnidentifiedImageError:
        reason = POINTER if is_lfs_pointer(path) else "not a picture that Pillow can read"
        raise UnreadablePicture(reason) from None
    except Image.DecompressionBombError:
        limit = (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise UnreadablePicture(f"larger than {limit} million pixels") from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise UnreadablePicture(first_line(error).rstrip(".")) from None


@contextmanager
def _unwarned() -> Iterator[None]:
    """Say nothing of odd metadata, which does not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _converted(picture: Image.Image, mode: str) -> Image.Image:
    if picture.mode in WIDE_MODES:
        samples = np.clip(np.asarray(picture).astype(np.int64), 0, 0xFFFF)
        picture = Image.fromarray((samples >> 8).astype(np.uint8))
    if picture.mode == "F":
        raise UnreadablePicture("its samples are floating-point numbers without a known range")
    if picture.mode == mode:
        return picture
    return picture.convert("RGBA") if mode == "RGBA" else picture.convert("RGB").convert(mode)


def stretch(picture: Picture, width: int, height: int) -> Picture:
    """Stretch `picture (H, W, C)` to `width` × `height`, without antialiasing.

    Bilinear with half-pixel centres: OpenCV's INTER_LINEAR, up to 1 in 255 where its fixed-point
    sums round otherwise. Pillow's own BILINEAR widens its filter when it shrinks, and gives other
    pixels.
    """
    rows, columns = picture.shape[:2]
    if (rows, columns) == (height, width):
        return np.ascontiguousarray(picture)
    above, below, down = _neighbours(rows, height)
    left, right, across = _neighbours(columns, width)
    down, across = down[:, None, None], across[None, :, None]
    upper, lower = picture[above], picture[below]
    top = _mixed(upper[:, left], upper[:, right], across)
    bottom = _mixed(lower[:, left], lower[:, right], across)
    stretched = _mixed(top, bottom, down)
    return np.rint(stretched).astype(np.uint8) if picture.dtype == np.uint8 else stretched


Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


def _neighbours(size: int, wanted: int) -> tuple[Indices, Indices, Floats]:
    """Return, for each wanted pixel, the source pixels around it and the share of the second."""
    centres = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(centres).astype(np.intp)
    return before, np.minimum(before + 1, size - 1), (centres - before).astype(np.float32)


def _mixed(first: NDArray[np.generic], second: NDArray[np.generic], share: Floats) -> Floats:
    start = first.astype(np.float32)
    return start + (second.astype(np.float32) - start) * share
