"""Build a bundle beside its place, and move it in whole or not at all.

build/.breakage.x1y2.partial     while it is being built; gone afterwards, whatever happens, or,
                                 after SIGKILL, with the next export of that name
    bundle/                      what becomes the bundle
    temporary/                   what converters put into their temporary folder meanwhile
build/.breakage.previous         the bundle replaced, for the moment between two renames
build/breakage                   always a whole bundle
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from export.bundle import MANIFEST, read_bundle
from export.unlisted import unlisted_files
from models.errors import InputError, ValidationFailed

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NEARLY_FULL = 1 << 20


@contextmanager
def staged(destination: Path, checkpoint: str) -> Iterator[Path]:
    """Yield a folder to build the bundle in, which becomes `destination` when the block ends well.

    Raises InputError when `destination` cannot be written or holds anything but an earlier
    bundle of the same checkpoint file. When the block raises, all is as it was.
    """
    _recover(destination)
    require_replaceable(destination, checkpoint)
    created = _missing_parents(destination.parent)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(destination)
        staging, lock = _locked_folder(destination)
    except OSError as error:
        raise _unwritable(destination.parent, error) from None
    bundle = staging / "bundle"
    try:
        with _disk_errors_explained(staging), _temporary_files_in(staging / "temporary"):
            bundle.mkdir()
            yield bundle
        _move_in(bundle, destination)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(lock)
        _remove_empty(created)


def require_space(folder: Path, needed: int) -> None:
    """Raise InputError when less than `needed` bytes are free where `folder` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"There is not enough room in {folder}: the bundle needs about {needed / 1e6:.0f} MB, "
            f"{free / 1e6:.0f} MB are free. Make room, or choose another place with OUT=."
        )


def require_writable(folder: Path) -> None:
    """Raise InputError where nothing can be written into `folder`, which need not exist yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        Path(tempfile.mkdtemp(prefix=".segport.", dir=there)).rmdir()
    except OSError as error:
        raise _unwritable(folder, error) from None


def require_replaceable(destination: Path, checkpoint: str) -> None:
    """Raise InputError where `destination` holds anything but a bundle of that `checkpoint`."""
    if destination.is_symlink():
        raise InputError(
            f"{destination} is a link to {destination.readlink()}, which would be replaced: "
            "remove it, or choose another place with OUT=."
        )
    if not destination.exists():
        return
    if not destination.is_dir() or not (destination / MANIFEST).is_file():
        if destination.is_dir() and not any(destination.iterdir()):
            return
        raise InputError(
            f"{destination} exists and is not a bundle of Segport's: move it away, or choose "
            "another place with OUT=."
        )
    bundle = read_bundle(destination)
    if bundle.source.file != checkpoint:
        raise InputError(
            f"{destination} is the bundle of another checkpoint, {bundle.source.file}: move it "
            "away, or choose another place with OUT=."
        )
    if foreign := unlisted_files(bundle, destination):
        raise InputError(
            f"{destination} also holds {', '.join(foreign[:3])}, which Segport did not write and "
            "would lose by replacing it: move that away, or choose another place with OUT=."
        )


def _locked_folder(destination: Path) -> tuple[Path, int]:
    """Make the folder to build in; return it with a descriptor that locks it while it is open."""
    prefix, parent = f".{destination.name}.", destination.parent
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".partial", dir=parent))
    lock = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # a file system without locks: nobody will take the folder for left
        fcntl.flock(lock, fcntl.LOCK_EX)
    if folder.exists():
        return folder, lock
    os.close(lock)  # another export took it for abandoned in the moment before it was locked
    return _locked_folder(destination)


def _remove_abandoned(destination: Path) -> None:
    """Remove what exports of the same name left behind that were killed: nobody locks it."""
    start = f".{destination.name}."
    for folder in destination.parent.iterdir():
        name = folder.name
        middle = name.removeprefix(start).removesuffix(".partial")
        if name != f"{start}{middle}.partial" or "." in middle or folder.is_symlink():
            continue
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)


def _previous(destination: Path) -> Path:
    return destination.with_name(f".{destination.name}.previous")


def _recover(destination: Path) -> None:
    """Finish what a run that was killed between two renames left behind."""
    previous = _previous(destination)
    if previous.is_dir() and not destination.exists():
        previous.rename(destination)
    elif previous.is_dir():
        shutil.rmtree(previous)


def _move_in(bundle: Path, destination: Path) -> None:
    bundle.chmod(0o755)
    previous = _previous(destination)
    replaced = destination.exists()
    try:
        if replaced:
            destination.rename(previous)
        bundle.rename(destination)
    except BaseException as error:  # Ctrl-C between the two renames must not lose the old bundle
        if replaced and previous.exists() and not destination.exists():
            previous.rename(destination)
        if isinstance(error, OSError):
            raise _unwritable(destination, error) from None
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _missing_parents(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _remove_empty(folders: list[Path]) -> None:
    """Take back the parent folders that were made for nothing, innermost first."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Have libraries put their temporary files into `folder`, which goes whatever happens."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        folder.mkdir()
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _disk_errors_explained(folder: Path) -> Iterator[None]:
    """Say that the disk is full, whichever way a library put it, or that `folder` was removed."""
    try:
        yield
    except Exception as error:
        if not folder.exists():
            raise InputError(
                f"{folder.parent} was removed while the bundle was built in it: nothing was "
                "written. Export again."
            ) from error
        if isinstance(error, OSError) and _says_full(error):
            raise _full(folder) from None
        explained = isinstance(error, InputError | ValidationFailed)
        if not explained and shutil.disk_usage(folder).free < NEARLY_FULL:
            raise _full(folder) from error  # as converters put it, whatever they raised
        raise


def _says_full(error: OSError) -> bool:
    """Return whether there was no room; a whole folder's copying has the reasons as text alone."""
    if isinstance(error, shutil.Error):
        return any(f"[Errno {number}]" in str(error) for number in FULL)
    return error.errno in FULL


def _full(folder: Path) -> InputError:
    return InputError(
        f"The disk that holds {folder.parent} is full: nothing was written. Make room, or choose "
        "another place with OUT=."
    )


def _unwritable(folder: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"{folder} cannot be written ({reason}): choose another place with OUT=.")
