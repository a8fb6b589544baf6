"""Small pictures for the page: a mask over its photo, and where two masks differ."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from validate.pictures import RGBImage

QUALITY = 82
DIFFERENT = (255, 0, 170)  # magenta, which neither cars nor the label colours have
DIMMED = 0.35


def photo_uri(image: RGBImage) -> str:
    """`image (H, W, 3)` as a JPEG in a data URI."""
    return _uri(image)


def overlay_uri(image: RGBImage, mask: NDArray[np.uint8], colours: Sequence[str]) -> str:
    """`image` under its `mask (H, W)`, label k in `colours[k]`, written `0xRRGGBBAA`."""
    table = np.array([_rgba(colour) for colour in colours], dtype=np.float32)
    paint = table[mask]
    alpha = paint[..., 3:] / 255
    mixed = image * (1 - alpha) + paint[..., :3] * alpha
    return _uri(np.rint(mixed).astype(np.uint8))


def difference_uri(
    image: RGBImage, mask: NDArray[np.uint8], other: NDArray[np.uint8]
) -> str | None:
    """`image` in dim grey with the pixels marked where the masks differ; None where none does."""
    differs = mask != other
    if not differs.any():
        return None
    grey = (image.mean(axis=2, keepdims=True) * DIMMED).astype(np.uint8)
    marked = np.where(_grown(differs)[..., None], np.array(DIFFERENT, np.uint8), grey)
    return _uri(marked)


def _grown(differs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`differs` with squares around its pixels, so that single ones are seen in a small picture."""
    radius = max(1, max(differs.shape) // 128)
    size = 2 * radius + 1
    grey = Image.fromarray(differs.astype(np.uint8)).filter(ImageFilter.MaxFilter(size))
    return np.asarray(grey) > 0


def _rgba(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("0x")))


def _uri(image: RGBImage) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
