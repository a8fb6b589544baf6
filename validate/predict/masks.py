"""What a prediction leaves behind: masks whose values are classes, and the photo painted.

    NAME.mask.png            palette PNG of the photo's size; pixel values are classes, shown in
                             the labels' colours, background black
    NAME.0_LABEL.mask.png …  the same for each channel, with 0 and 1, where they are independent
    NAME.overlay.jpg         the photo with its masks over it, background clear

All are made strip by strip, so that no further copy of a large photo is needed.
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
from validate.images.overlay import as_rgb, paint, parse_colour
from validate.images.reading import Picture, UnreadablePicture
from validate.predict.tiles import Mask

ROWS = 256
QUALITY = 90
LONGEST_SIDE = 65_500
"""The pixels that a JPEG may have on a side, by libjpeg."""
LONGEST_LABEL = 40


@dataclass(frozen=True)
class Layer:
    """One mask `(H, W)` to be painted: the end of its file's name, and a colour for each value."""

    mask: NDArray[np.uint8]
    ending: str
    colours: tuple[str, ...]


def layers(mask: Mask, bundle: Bundle) -> tuple[Layer, ...]:
    """The one mask of exclusive classes, or one for each of the independent channels."""
    if mask.ndim == 2:
        return (Layer(mask, ".mask.png", bundle.colours),)
    return tuple(
        Layer(mask[channel], ending, (BACKGROUND_COLOUR, bundle.colours[channel]))
        for channel, ending in enumerate(endings(bundle))
    )


def endings(bundle: Bundle) -> tuple[str, ...]:
    """How the names of a photo's masks end."""
    if not bundle.specification.independent:
        return (".mask.png",)
    named = enumerate(re.sub(r"[^\w-]+", "_", label[:LONGEST_LABEL]) for label in bundle.labels)
    return tuple(f".{channel}_{name}.mask.png" for channel, name in named)


def require_paintable(photo: Picture) -> None:
    """Raise UnreadablePicture for a `photo (H, W, C)` that no JPEG can show."""
    if max(photo.shape[:2]) > LONGEST_SIDE:
        raise UnreadablePicture(f"a side is longer than {LONGEST_SIDE:,} pixels")


def write_mask(layer: Layer, path: Path) -> None:
    """Write a layer's mask as a palette PNG. Raises OSError where it cannot be written."""
    picture = Image.fromarray(layer.mask)
    picture.putpalette([part for colour in palette(layer.colours) for part in colour[:3]])
    picture.save(path, "PNG")


def write_overlay(photo: Picture, painted: Sequence[Layer], path: Path) -> None:
    """Write `photo (H, W, C)` under its layers. Raises OSError where it cannot be written."""
    height, width = photo.shape[:2]
    picture = Image.new("RGB", (width, height))
    for rows in strips(height):
        strip = Image.fromarray(as_rgb(photo[rows]))
        for layer in painted:
            mask = layer.mask[rows].astype(np.int32)
            colours = Image.fromarray(paint(mask, palette(layer.colours), premultiplied=False))
            strip.paste(colours, mask=colours)
        picture.paste(strip, (0, rows.start))
    picture.save(path, "JPEG", quality=QUALITY)


def palette(colours: Sequence[str]) -> tuple[tuple[int, int, int, int], ...]:
    """Red, green, blue and alpha of each value; one that is no colour is transparent.

    >>> palette(["0xD55E0099"])
    ((213, 94, 0, 153),)
    """
    return tuple(parse_colour(colour) or (0, 0, 0, 0) for colour in colours)


def pixels_of(mask: NDArray[np.uint8], values: int) -> list[int]:
    """How many pixels of `mask (H, W)` have each of the `values`."""
    counts = np.zeros(values, np.int64)
    for rows in strips(len(mask)):
        counts += np.bincount(mask[rows].reshape(-1), minlength=values)
    return counts.tolist()


def strips(height: int) -> Iterator[slice]:
    """The rows of a picture, some at a time."""
    for top in range(0, height, ROWS):
        yield slice(top, top + ROWS)
