"""Print areas on a console: a row for each photo, its largest class first."""

from pathlib import Path

from rich.console import Console

from models.common.console import print_line
from validate.predict.areas import Overlaps, PredictedPhoto, Predictions

NOTEWORTHY = 0.005
"""Share of differing labels at which a seam may be seen, and more overlap is advised."""


def print_areas(predictions: Predictions, console: Console) -> None:
    """Print the file that ran, each photo's classes in percent, and what was left out."""
    print_line(console, f"{predictions.file} ({predictions.runtime}), {_manner(predictions)}")
    for photo in predictions.photos:
        print_line(console, f"{_name(photo)}: {_areas(photo)}")
    for photo in predictions.photos:
        if photo.overlaps is not None:
            print_line(console, _seams(photo, photo.overlaps))
    for skipped in predictions.skipped:
        print_line(console, f"Not painted: {skipped.name} ({skipped.reason})")


def _manner(predictions: Predictions) -> str:
    if not predictions.tiled:
        return "photos stretched to its input"
    tiles = sum(photo.tiles or 0 for photo in predictions.photos)
    return f"photos at their own size, {tiles:,} tiles"


def _areas(photo: PredictedPhoto) -> str:
    present = sorted((each for each in photo.areas if each.pixels), key=lambda each: -each.pixels)
    return ", ".join(f"{each.label} {each.percent:.2f} %" for each in present)


def _seams(photo: PredictedPhoto, overlaps: Overlaps) -> str:
    """Say how far tiles disagreed, and what to do about it."""
    x, y = overlaps.place
    differing, worst = (f"{100 * share:.2f} %" for share in (overlaps.differing, overlaps.worst))
    told = (
        f"{_name(photo)}: before blending, neighbouring tiles gave {differing} of the pixels that "
        "they share another label"
    )
    if overlaps.worst:
        told += f", and {worst} of the worst seam, which begins at x {x}, y {y}"
    return f"{told}. More --overlap hides it better." if overlaps.worst > NOTEWORTHY else f"{told}."


def _name(photo: PredictedPhoto) -> str:
    return Path(photo.photo).name
