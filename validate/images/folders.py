"""Find the files of a folder of photos, before anything that opens them is imported."""

from pathlib import Path
from typing import Final

from models.errors import InputError

RENDERED: Final = Path(__file__).resolve().parents[2] / "samples"
"""The sample pictures that Segport brings, with their masks in `masks/`."""


def files_in(folder: Path) -> tuple[Path, ...]:
    """Return the files of `folder`, not below it, by name; hidden ones are passed over.

    Raises InputError where it cannot be read.
    """
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from None
    return tuple(sorted((f for f in files if not f.name.startswith(".")), key=lambda f: f.name))


def photos_in(folder: Path) -> tuple[Path, ...]:
    """Return the files of a folder of samples, or the one file that is named in its place.

    Raises InputError where there is no such folder, or nothing in it.
    """
    if folder.is_file():
        return (folder,)
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist: give a folder of photos with SAMPLES=.")
    chosen = files_in(folder)
    if not chosen:
        raise InputError(f"{folder} holds no files: give a folder of photos with SAMPLES=.")
    return chosen
