"""What a prediction leaves behind: a mask whose values are the classes, and the photo painted.

    NAME.mask.png       palette PNG of the photo's size; pixel values are classes, shown in the
                        labels' colours, background black
    NAME.overlay.jpg    the photo with its mask over it, background clear

Both are made strip by strip, so that no further copy of a large photo is needed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from validate.device.overlays import paint, parse_colour
from validate.pictures import RGBImage

Mask = NDArray[np.uint8]
Colour = tuple[int, int, int, int]
ROWS = 256
QUALITY = 90


def palette(colours: Sequence[str]) -> tuple[Colour, ...]:
    """Red, green, blue and alpha of each label; one that is no colour is transparent.

    >>> palette(["0xD55E0099"])
    ((213, 94, 0, 153),)
    """
    return tuple(parse_colour(colour) or (0, 0, 0, 0) for colour in colours)


def write_mask(mask: Mask, colours: Sequence[str], path: Path) -> None:
    """Write `mask (H, W)` as a palette PNG. Raises OSError where it cannot be written."""
    picture = Image.fromarray(mask)
    picture.putpalette([part for colour in palette(colours) for part in colour[:3]])
    picture.save(path, "PNG")


def write_overlay(photo: RGBImage, mask: Mask, colours: Sequence[str], path: Path) -> None:
    """Write `photo (H, W, 3)` with `mask (H, W)` over it. Raises OSError as `write_mask` does."""
    height, width = mask.shape
    shown, picture = palette(colours), Image.new("RGB", (width, height))
    for top in range(0, height, ROWS):
        strip = Image.fromarray(photo[top : top + ROWS])
        rows = mask[top : top + ROWS].astype(np.int32)
        layer = Image.fromarray(paint(rows, shown, premultiplied=False))
        strip.paste(layer, mask=layer)
        picture.paste(strip, (0, top))
    picture.save(path, "JPEG", quality=QUALITY)


def pixels_of(mask: Mask, values: int) -> list[int]:
    """How many pixels of `mask (H, W)` have each of the `values` classes."""
    counts = np.zeros(values, np.int64)
    for top in range(0, len(mask), ROWS):
        counts += np.bincount(mask[top : top + ROWS].reshape(-1), minlength=values)
    return counts.tolist()
