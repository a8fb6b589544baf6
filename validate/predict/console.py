"""Class areas on a console: a row for each photo, its largest class first."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.common.console import print_line
from validate.predict.areas import Overlaps, Painted, Painting

NOTEWORTHY = 0.005
"""From this share of differing labels on, a seam may show, and more overlap is advised."""


def print_areas(painting: Painting, console: Console) -> None:
    """Print which file painted, each photo's classes in percent, and what was passed over."""
    print_line(console, f"{painting.file} ({painting.runtime}), {_manner(painting)}")
    _print_photos(painting.photos, console)
    for photo in painting.photos:
        if photo.overlaps is not None:
            print_line(console, _seams(photo, photo.overlaps))
    for skipped in painting.skipped:
        print_line(console, f"Not painted: {skipped.name} ({skipped.reason})")


def _print_photos(photos: Sequence[Painted], console: Console) -> None:
    """A table on a terminal; in a log a line for each photo, which no width breaks."""
    if not console.is_terminal:
        for photo in photos:
            print_line(console, f"{_name(photo)}: {_areas(photo)}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("photo", overflow="fold")
    table.add_column("areas", overflow="fold")
    for photo in photos:
        table.add_row(Text(_name(photo)), Text(_areas(photo)))
    console.print(table)


def _manner(painting: Painting) -> str:
    if not painting.tiled:
        return "photos stretched to its input"
    tiles = sum(photo.tiles or 0 for photo in painting.photos)
    return f"photos at their own size, {tiles:,} tiles"


def _areas(photo: Painted) -> str:
    present = sorted((each for each in photo.areas if each.pixels), key=lambda each: -each.pixels)
    return ", ".join(f"{each.label} {each.percent:.2f} %" for each in present)


def _seams(photo: Painted, overlaps: Overlaps) -> str:
    """How far tiles disagreed, and what to do about it."""
    x, y = overlaps.place
    differing, worst = (f"{100 * share:.2f} %" for share in (overlaps.differing, overlaps.worst))
    told = (
        f"{_name(photo)}: before blending, neighbouring tiles gave {differing} of the pixels that "
        "they share another label"
    )
    if overlaps.worst:
        told += f", and {worst} of the worst seam, which begins at x {x}, y {y}"
    return f"{told}. More --overlap hides it better." if overlaps.worst > NOTEWORTHY else f"{told}."


def _name(photo: Painted) -> str:
    return Path(photo.photo).name
