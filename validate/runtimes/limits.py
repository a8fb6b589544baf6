"""Bound the time and the memory that a file may take for one run, in whichever runtime it runs."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from validate.runtimes.interface import RefusedFile

DEFAULT_SECONDS = 600.0
"""Some thousand times what a large network takes for a picture."""
MOST_MEMORY = 8 << 30
"""Most bytes that a run may allocate, of which large networks take a tenth; on Linux alone."""
_seconds: ContextVar[float] = ContextVar("seconds", default=DEFAULT_SECONDS)


@dataclass(frozen=True)
class Deadline:
    """Hold until when a run of the file at `path` may last."""

    path: Path
    seconds: float
    end: float

    def check(self) -> None:
        """Raise TimeoutError when the time is over; runtimes ask between operations."""
        if time.monotonic() > self.end:
            raise TimeoutError

    @property
    def error(self) -> RefusedFile:
        """Return what is raised then: that it is slow is no verdict on what it computes."""
        return RefusedFile(
            f"{self.path.name} takes longer than {self.seconds:g} seconds for one run, and was "
            "stopped: give it more time with TIME_LIMIT=, or export it again."
        )


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Let each run of a file in the block take so many seconds; None for the default.

    Raises InputError for a number that is not above zero.
    """
    limit = DEFAULT_SECONDS if seconds is None else seconds
    if not limit > 0:
        raise InputError(f"TIME_LIMIT={seconds:g} leaves no time: give seconds above 0.")
    token = _seconds.set(limit)
    try:
        yield
    finally:
        _seconds.reset(token)


@contextmanager
def limited(path: Path) -> Iterator[Deadline]:
    """Give the deadline of a run of the file at `path`, which is the block, and limit its memory.

    Raises RefusedFile where the block raises TimeoutError or MemoryError.
    """
    seconds = _seconds.get()
    until = Deadline(path, seconds, time.monotonic() + seconds)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        if sys.platform == "linux" and soft == resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_DATA, (_memory() + MOST_MEMORY, hard))
        yield until
    except TimeoutError:
        raise until.error from None
    except MemoryError:
        most = f"{MOST_MEMORY / 2**30:g} GiB"
        raise RefusedFile(
            f"{path.name} needs more memory for one run than is free, or than the {most} that a "
            "file may take: export it again, or at a smaller SIZE=."
        ) from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _memory() -> int:
    """Return the bytes of the process's data, as the system counts them for the limit."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[5]
    return int(pages) * resource.getpagesize()
