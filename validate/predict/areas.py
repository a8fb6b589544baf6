"""Hold a prediction's areas as data, and write them: `areas.json` and `areas.csv`."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from models.common.text import one_line
from validate.atomic import placed
from validate.images.samples import Skipped
from validate.predict.blend import Seams
from validate.predict.masks import MaskLayer, pixels_of

AREAS = "areas.json"
TABLE = "areas.csv"
FORMULAS = tuple("=+-@")
COLUMNS = ("file", "width", "height", "class", "pixels", "share")


@dataclass(frozen=True)
class Area:
    """Hold the part of a photo that a class covers."""

    label: str
    pixels: int
    percent: float


@dataclass(frozen=True)
class Overlaps:
    """Hold how far neighbouring tiles disagreed where both gave a label.

    `differing` is the share of those pixels with two labels, `worst` the largest share along one
    seam, which begins at `place`, the photo's (x, y).
    """

    pixels: int
    differing: float
    worst: float
    place: tuple[int, int]


@dataclass(frozen=True)
class PredictedPhoto:
    """Hold a photo's files, its size in pixels, the areas of its classes, and its tiles.

    Independent channels have a mask each, and their areas may add up to more than the photo.
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
class Predictions:
    """Hold the photos of one call; `areas.json` is this as JSON.

    `skipped` lists files and folders inside the folders that were named, which may be there;
    `unread` lists files that were named themselves.
    """

    bundle: str
    file: str
    runtime: str
    tiled: bool
    photos: tuple[PredictedPhoto, ...]
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[Skipped, ...] = ()


def areas(painted: Sequence[MaskLayer], labels: Sequence[str]) -> tuple[Area, ...]:
    """Return the area of each of `labels`: the values of one layer, or a layer each."""
    size = painted[0].mask.size
    if len(painted) == 1:
        counts = pixels_of(painted[0].mask, len(labels))
    else:
        counts = [pixels_of(layer.mask, 2)[1] for layer in painted]
    return tuple(
        Area(label, count, 100 * count / size) for label, count in zip(labels, counts, strict=True)
    )


def overlaps(seams: Seams | None) -> Overlaps | None:
    """Return the figures of `seams`; None where no tiles overlap."""
    if seams is None or not seams.pixels:
        return None
    return Overlaps(seams.pixels, seams.share, seams.worst, seams.place)


def write_areas(predictions: Predictions, out: Path) -> None:
    """Write `areas.json` and `areas.csv` into `out`. Raise OSError where that cannot be."""
    texts = (
        json.dumps(asdict(predictions), indent=1, ensure_ascii=False) + "\n",
        _as_csv(predictions.photos),
    )
    with placed([out / AREAS, out / TABLE]) as parts:
        for part, text in zip(parts, texts, strict=True):
            # Bytes of a name that are not UTF-8 are written as \udcff, which JSON reads back.
            part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def _as_csv(photos: Sequence[PredictedPhoto]) -> str:
    """Return a row under COLUMNS for each class of each photo; `share` is in 0…1."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for photo in photos:
        for area in photo.areas:
            size = max(photo.width * photo.height, 1)
            cells = (_cell(photo.photo), photo.width, photo.height, _cell(area.label), area.pixels)
            rows.writerow((*cells, f"{area.pixels / size:.8f}"))
    return text.getvalue()


def _cell(text: str) -> str:
    """Return `text` as a spreadsheet shows it, which would compute what begins with `=`."""
    return f"'{one_line(text)}" if text.lstrip()[:1] in FORMULAS else one_line(text)
