"""Write the pictures of a prediction: masks whose values are classes, and the painted photo.

    NAME.mask.png            palette PNG of the photo's size; pixel values are classes, shown in
                             the labels' colours, background black
    NAME.0_LABEL.mask.png …  one PNG of 0 and 1 for each channel, where channels are independent
    NAME.overlay.jpg         the photo with its masks over it, background clear

Overlays and counts are made strip by strip, so that no further copy of a large photo is needed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.bundle import Bundle
from models.labels import BACKGROUND_COLOUR
from validate.images.overlay import Colour, as_rgb, palette_image, rgba
from validate.images.reading import Picture, UnreadablePicture
from validate.predict.tiles import Mask

ROWS = 256
"""Rows of a photo that are painted at a time."""
QUALITY = 90
LONGEST_SIDE = 65_500
"""Pixels that a JPEG may have on a side, by libjpeg."""
LONGEST_LABEL = 40


@dataclass(frozen=True)
class MaskLayer:
    """Hold one mask `(H, W)` with a colour for each value, and the end of its file's name."""

    mask: NDArray[np.uint8]
    ending: str
    colours: tuple[Colour, ...]


def layers(mask: Mask, bundle: Bundle) -> tuple[MaskLayer, ...]:
    """Return the one mask of exclusive classes, or one for each independent channel."""
    colours = tuple(map(rgba, bundle.colours))
    if mask.ndim == 2:
        return (MaskLayer(mask, ".mask.png", colours),)
    return tuple(
        MaskLayer(mask[channel], ending, (rgba(BACKGROUND_COLOUR), colours[channel]))
        for channel, ending in enumerate(endings(bundle))
    )


def endings(bundle: Bundle) -> tuple[str, ...]:
    """Return the ends of the names of a photo's masks."""
    if not bundle.specification.independent:
        return (".mask.png",)
    named = enumerate(re.sub(r"[^\w-]+", "_", label[:LONGEST_LABEL]) for label in bundle.labels)
    return tuple(f".{channel}_{name}.mask.png" for channel, name in named)


def require_paintable(photo: Picture) -> None:
    """Raise UnreadablePicture for a `photo (H, W, C)` that no JPEG can show."""
    if max(photo.shape[:2]) > LONGEST_SIDE:
        raise UnreadablePicture(f"a side is longer than {LONGEST_SIDE:,} pixels")


def write_mask(layer: MaskLayer, path: Path) -> None:
    """Write a layer's mask as a palette PNG. Raise OSError where it cannot be written."""
    palette_image(layer.mask, layer.colours).save(path, "PNG")


def write_overlay(photo: Picture, painted: Sequence[MaskLayer], path: Path) -> None:
    """Write `photo (H, W, C)` under its layers. Raise OSError where it cannot be written."""
    height, width = photo.shape[:2]
    picture = Image.new("RGB", (width, height))
    for rows in strips(height):
        strip = Image.fromarray(as_rgb(photo[rows]))
        for layer in painted:
            colours = Image.fromarray(np.array(layer.colours, np.uint8)[layer.mask[rows]])
            strip.paste(colours, mask=colours)
        picture.paste(strip, (0, rows.start))
    picture.save(path, "JPEG", quality=QUALITY)


def pixels_of(mask: NDArray[np.uint8], values: int) -> list[int]:
    """Count the pixels of `mask (H, W)` that have each of the `values`."""
    counts = np.zeros(values, np.int64)
    for rows in strips(len(mask)):
        counts += np.bincount(mask[rows].reshape(-1), minlength=values)
    return counts.tolist()


def strips(height: int) -> Iterator[slice]:
    """Yield the rows of a picture, ROWS at a time."""
    for top in range(0, height, ROWS):
        yield slice(top, top + ROWS)
