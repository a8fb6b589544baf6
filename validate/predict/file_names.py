"""Which photos are painted, and what their masks and overlays are called."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import InputError
from validate.images.folders import files_in

LONGEST = 255
"""Bytes that a file's name may have, on every file system in use."""


def files_of(photos: Sequence[Path]) -> list[Path]:
    """The files named, and those of the folders named, in the order of their names.

    Raises InputError where there are none.
    """
    files: list[Path] = []
    for path in photos:
        if path.is_dir():
            files += files_in(path)
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"{path} does not exist: name photos, or folders of photos.")
    if not files:
        raise InputError(f"{photos[0]} holds no files: name photos, or folders of photos.")
    return list(dict.fromkeys(files))


def names_for(files: Sequence[Path], out: Path, ends: Sequence[str]) -> list[str]:
    """What each photo's files in `out` are called, before one of the `ends`.

    A photo's own name, numbered where that is taken, and cut where it would be too long. Raises
    InputError where a file would take the place of a photo.
    """
    room = LONGEST - max(len(os.fsencode(end)) for end in ends)
    taken: set[str] = set()
    names = []
    for path in files:
        # Many file systems take A and a for the same.
        name = next(name for name in _candidates(path.stem, room) if name.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    written = {(out / f"{name}{end}").resolve() for name in names for end in ends}
    if clash := [path for path in files if path.resolve() in written]:
        raise InputError(f"{clash[0]} would be overwritten: choose another place with --out.")
    return names


def _candidates(stem: str, room: int) -> Iterator[str]:
    """`stem`, `stem_2`, `stem_3` … in at most `room` bytes."""
    yield _cut(stem, room)
    number = 2
    while True:
        yield f"{_cut(stem, room - len(f'_{number}'))}_{number}"
        number += 1


def _cut(stem: str, room: int) -> str:
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= room else encoded[:room].decode("utf-8", "ignore")
