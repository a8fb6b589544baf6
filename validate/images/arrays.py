"""Read pictures with more or fewer channels than photos have, from NumPy files.

Multispectral cameras and satellites give any number of channels, for which no picture format
is common. Files of `numpy.save` with an array `(H, W, C)` are read, without pickles; a header
that promises more than the file holds is refused before any memory is taken.
"""

import io
import mmap
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image

from models.common.paths import POINTER, is_lfs_pointer
from models.common.text import first_line
from validate.images.reading import Picture, UnreadablePicture

SUFFIX = ".npy"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
MOST_HEADER = 1 << 14
FULL = {"uint8": 255, "uint16": 65535}
"""The largest value of the types that are divided by it; floats are in [0, 1] already."""


def read_array(path: Path, channels: int) -> Picture:
    """Return the picture `(H, W, channels)` in a `.npy` file; see `as_picture`."""
    return as_picture(_mapped(path), channels)


def as_picture(stored: NDArray[Any], channels: int) -> Picture:
    """Return the picture `(H, W, channels)` that an array holds.

    uint8 stays as it is; uint16 is divided by 65535 and becomes float32 in [0, 1], as
    floating-point numbers have to be. Raise UnreadablePicture for anything else.
    """
    if stored.ndim != 3 or stored.shape[2] != channels or not stored.size:
        shape = " × ".join(map(str, stored.shape)) or "a single number"
        raise UnreadablePicture(f"its shape is {shape}, not height × width × {channels}")
    if stored.shape[0] * stored.shape[1] > (limit := Image.MAX_IMAGE_PIXELS or 0):
        raise UnreadablePicture(f"larger than {limit // 10**6} million pixels")
    if stored.dtype.name == "uint8":
        return np.array(stored)
    if stored.dtype.kind != "f" and stored.dtype.name not in FULL:
        raise UnreadablePicture(f"its numbers are {stored.dtype}, not uint8, uint16 or floats")
    with np.errstate(over="ignore"):  # infinity is told below
        picture = np.array(stored, np.float32)
    picture /= FULL.get(stored.dtype.name, 1)
    if not (picture.min() >= 0 and picture.max() <= 1):
        raise UnreadablePicture("its numbers are not in [0, 1]")
    return picture


def _mapped(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            return npy_array(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise UnreadablePicture(error.strerror or "not a NumPy file") from None
    except ValueError:
        reason = POINTER if is_lfs_pointer(path) else "not a NumPy file of numbers, or cut off"
        raise UnreadablePicture(reason) from None


def npy_array(data: bytes | mmap.mmap) -> NDArray[Any]:
    """Return the array of numbers that the content of a `.npy` file holds, without copying it.

    Raises ValueError where it is anything else, or promises more than there is.
    """
    start = io.BytesIO(data[:MOST_HEADER])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about Python 2, which wrote 1L
            version = npy.read_magic(start)  # type: ignore[no-untyped-call]
            shape, is_fortran, dtype = HEADERS[version](start)  # type: ignore[no-untyped-call]
        whole = all(type(side) is int and side >= 0 for side in shape)
        if dtype.kind not in "biufc" or not whole:
            raise ValueError(f"an array {shape} of {dtype}")
        return np.ndarray(shape, dtype, data, start.tell(), order="F" if is_fortran else "C")
    except Exception as error:  # the header is Python's text, and fails as that may
        raise ValueError(f"it is no array of numbers: {first_line(error)}") from None


def mixed(picture: Picture, channels: int) -> Picture:
    """Mix an RGB `picture (H, W, 3)` to `channels` channels: `(H, W, channels)`, uint8.

    Each channel is a weighted mean of red, green and blue; its weights are those of a hue a
    golden angle after the one before, so that no two channels are alike. Mixed photos stand in
    for a multispectral camera's pictures where there are none.
    """
    hues = np.arange(channels)[:, None] * 2 * np.pi * 0.618034
    weights = 1 + np.cos(hues - np.array([0, 2, 4]) * np.pi / 3)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(picture @ weights.T), np.uint8)
