"""What `predict` found, as data: classes in percent of each photo, and how tiles agreed.

`areas.json` is a Painting as JSON.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from validate.atomic import placed
from validate.images.samples import Skipped
from validate.predict.masks import MaskLayer, pixels_of
from validate.predict.tiles import Seams

AREAS = "areas.json"


@dataclass(frozen=True)
class Area:
    """How much of a photo a class covers."""

    label: str
    pixels: int
    percent: float


@dataclass(frozen=True)
class Overlaps:
    """How far neighbouring tiles disagreed where both gave a label.

    `differing` is the share of those pixels with two labels, `worst` the largest share along one
    seam, which begins at `place`, the photo's (x, y).
    """

    pixels: int
    differing: float
    worst: float
    place: tuple[int, int]


@dataclass(frozen=True)
class Painted:
    """A photo that was painted: its files, size in pixels, classes, and tiles where there were.

    Where channels are independent, each has a mask, and their areas may add up to more than all.
    """

    photo: str
    masks: tuple[str, ...]
    overlay: str
    width: int
    height: int
    areas: tuple[Area, ...]
    tiles: int | None = None
    overlaps: Overlaps | None = None


@dataclass(frozen=True)
class Painting:
    """What one call painted.

    `skipped` files of folders are no pictures, which happens; `unread` ones were named.
    """

    bundle: str
    file: str
    runtime: str
    tiled: bool
    photos: tuple[Painted, ...]
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[Skipped, ...] = ()


def areas(painted: Sequence[MaskLayer], labels: Sequence[str]) -> tuple[Area, ...]:
    """The area of each of `labels`: the values of one layer, or a layer each."""
    size = painted[0].mask.size
    if len(painted) == 1:
        counts = pixels_of(painted[0].mask, len(labels))
    else:
        counts = [pixels_of(layer.mask, 2)[1] for layer in painted]
    return tuple(
        Area(label, count, 100 * count / size) for label, count in zip(labels, counts, strict=True)
    )


def overlaps(seams: Seams | None) -> Overlaps | None:
    """What `seams` found; None where no tiles overlap."""
    if seams is None or not seams.pixels:
        return None
    return Overlaps(seams.pixels, seams.share, seams.worst, seams.place)


def write_areas(painting: Painting, out: Path) -> None:
    """Write `areas.json` into the folder `out`. Raises OSError where that cannot be."""
    text = json.dumps(asdict(painting), indent=1, ensure_ascii=False) + "\n"
    with placed([out / AREAS]) as (part,):
        # A name whose bytes are no UTF-8 stands as \udcff, which JSON reads back.
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
