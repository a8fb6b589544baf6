"""Open paths that somebody else may have named, before anything that reads is imported."""

import difflib
import errno
import os
import stat
from pathlib import Path

from models.errors import InputError

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""First bytes of the text that Git LFS keeps in the place of a large file."""
POINTER = "a Git LFS pointer, not the file itself: run `git lfs pull` and try again"


def require_there(path: Path) -> None:
    """Raise InputError, with the nearest names, where there is nothing at `path`."""
    try:
        if path.exists():
            return
        parent = path.parent
        names = sorted(p.name for p in parent.iterdir()) if parent.is_dir() else []
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read: {error}.") from None
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if near:
        raise InputError(f"{path} does not exist. Did you mean {' or '.join(near)}?")
    where = "" if parent.is_dir() else f", and neither does the folder {parent}"
    raise InputError(f"{path} does not exist{where}: check the path.")


def is_lfs_pointer(path: Path) -> bool:
    """Return whether `path` holds a pointer of Git LFS; False for no file, or one that may wait."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(LFS_POINTER)) == LFS_POINTER
    except (OSError, ValueError):
        return False


def require_no_pointer(path: Path) -> None:
    """Raise InputError where `path` holds a pointer of Git LFS in the place of the file."""
    if is_lfs_pointer(path):
        raise InputError(f"{path} is {POINTER}.")


def open_own(path: str, flags: int) -> int:
    """Open a file to write to, an `opener` of `open`; OSError for a link or pipe laid there."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no ordinary file", path)
    return descriptor


def read_bytes(path: Path, most: int) -> bytes:
    """Return the content of an ordinary file, without waiting for a pipe or a device.

    Raises OSError where it cannot be read, ValueError where it is larger than `most` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no ordinary file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return content
