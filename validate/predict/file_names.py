"""Find the photos of a call, and name their masks and overlays."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.common.text import listed
from models.errors import InputError
from validate.images.folders import files_in
from validate.images.samples import Skipped

LONGEST = 255
"""Bytes that a file's name may have, on every file system in use."""


def files_of(photos: Sequence[Path]) -> list[Path]:
    """Return the files named, and those of the folders named, in the order of their names.

    Raise InputError where there are none.
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
        inside = [str(folder) for path in photos for folder in _folders_in(path)]
        what = f"no files, but folders ({listed(inside, 3)})" if inside else "no files"
        raise InputError(f"{photos[0]} holds {what}: name photos, or folders of photos.")
    return list(dict.fromkeys(files))


def left_out(photos: Sequence[Path], out: Path) -> list[Skipped]:
    """Return the folders inside the named ones, which are not searched, but for `out`."""
    named = {path.resolve() for path in (*photos, out)}
    inside = [folder for path in photos if path.is_dir() for folder in _folders_in(path)]
    return [
        Skipped(str(folder), "a folder, whose photos are left out: name it too")
        for folder in inside
        if folder.resolve() not in named
    ]


def _folders_in(folder: Path) -> list[Path]:
    inside = (path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    return sorted(inside)


def names_for(files: Sequence[Path], out: Path, ends: Sequence[str]) -> list[str]:
    """Return the name of each photo's files in `out`, to which one of the `ends` is added.

    It is the photo's own name, numbered where that is taken, and cut where it would be too
    long. Raise InputError where a file would take the place of a photo.
    """
    longest = LONGEST - max(len(os.fsencode(end)) for end in ends)
    taken: set[str] = set()
    names = []
    for path in files:
        # Many file systems take A and a for the same.
        untaken = (n for n in _candidates(path.stem, longest) if n.casefold() not in taken)
        names.append(next(untaken))
        taken.add(names[-1].casefold())
    written = {(out / f"{name}{end}").resolve() for name in names for end in ends}
    if clash := [path for path in files if path.resolve() in written]:
        raise InputError(f"{clash[0]} would be overwritten: choose another place with --out.")
    return names


def _candidates(stem: str, longest: int) -> Iterator[str]:
    """Yield `stem`, `stem_2`, `stem_3` … in at most `longest` bytes."""
    yield _cut(stem, longest)
    number = 2
    while True:
        yield f"{_cut(stem, longest - len(f'_{number}'))}_{number}"
        number += 1


def _cut(stem: str, longest: int) -> str:
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= longest else encoded[:longest].decode("utf-8", "ignore")
