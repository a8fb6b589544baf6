"""What a run over many pictures has done so far, so that it can be stopped and go on.

The state lies in the bundle as `.parity.unfinished.jsonl`: a line that says which run it is,
then one for each batch of pictures, written when the batch is done. The same run (bundle,
samples by name, size and time, options, versions) goes on after the last whole line; any other
begins anew. The file goes away when the run has ended.
"""

import fcntl
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from models.common.json_codec import plain, revive
from models.errors import InputError
from validate.images.samples import Skipped
from validate.parity.session import BatchRecord

STATE = ".parity.unfinished.jsonl"
SCHEMA = 1


@dataclass(frozen=True)
class Step:
    """One batch: `consumed` files were looked at since the start, `skipped` of them just now."""

    consumed: int
    skipped: tuple[Skipped, ...]
    seconds: float
    batch: BatchRecord


class Unfinished:
    """The open state file of a run.

    `pictures` files are done and kept; `replaces` says that another run had left its state.
    """

    def __init__(self, path: Path, file: BinaryIO, run: Mapping[str, Any]):
        self.path = path
        self.pictures = 0
        self.replaces = False
        self._file = file
        self._header = json.dumps({"schema": SCHEMA, "run": plain(run)}).encode() + b"\n"

    def earlier(self) -> Iterator[Step]:
        """The batches that an earlier run of the same kind finished; all before `append`."""
        self._file.seek(0)
        good = 0
        first = self._file.readline()
        self.replaces = bool(first) and first != self._header
        if first == self._header:
            good = self._file.tell()
            for line in self._file:
                step = _step(line)
                if step is None:
                    break
                good += len(line)
                self.pictures = step.consumed
                yield step
        self._file.truncate(good)
        self._file.seek(good)
        if not good:
            self._write(self._header)

    def append(self, step: Step) -> None:
        """Keep what one batch found."""
        self._write(json.dumps(plain(step)).encode() + b"\n")
        self.pictures = step.consumed

    def _write(self, line: bytes) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from None


@contextmanager
def unfinished(folder: Path, run: Mapping[str, Any]) -> Iterator[Unfinished]:
    """The state of `run` in `folder`; it is removed unless the block is left by an exception.

    Raises InputError when the folder cannot be written to, or another process judges it.
    """
    path = folder / STATE
    try:
        file = path.open("a+b")
    except OSError as error:
        raise _unwritable(path, error) from None
    with file:
        _lock(file, folder)
        state = Unfinished(path, file, run)
        try:
            yield state
        except BaseException:
            if not state.pictures:
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(
            f"{folder} is being judged by another process: wait for it to end, or stop it."
        ) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written: {error.strerror}. Make room, or copy the bundle to a place "
        "that can be written to."
    )


def _step(line: bytes) -> Step | None:
    """None for a line that was cut off or is not ours."""
    if not line.endswith(b"\n"):
        return None
    try:
        step: Step = revive(Step, json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None
    return step
