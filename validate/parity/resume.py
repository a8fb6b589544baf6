"""Keep what a run over many pictures has done, so that it can be stopped and go on.

The state lies in the bundle as `.parity.unfinished.jsonl`: a line that says which run it is,
then one for each batch of pictures, written when the batch is done. The same run (bundle,
samples by name, size and time, options, versions) goes on after the last whole line; any other
begins anew. The file goes away when the run has ended.
"""

import fcntl
import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from export.bundle import MANIFEST
from export.result_files import UNFINISHED
from models.common.hashing import sha256_of
from models.common.json_codec import plain, revive
from models.common.json_reader import parse_json
from models.common.paths import open_own
from models.errors import InputError
from validate.images.samples import Samples, Skipped
from validate.metrics.tolerances import TABLE
from validate.metrics.tolerances_file import GivenTolerances
from validate.parity.session import BatchFindings, ParitySession
from validate.results.machine import LIBRARIES

SCHEMA = 1


@dataclass(frozen=True)
class FinishedBatch:
    """Hold one batch: `consumed` files were read since the start, `skipped` just now."""

    consumed: int
    skipped: tuple[Skipped, ...]
    seconds: float
    findings: BatchFindings


class RunState:
    """Read and write the state file of a run.

    `pictures` files are done and kept; `replaces` says that another run had left its state.
    """

    def __init__(self, path: Path, file: BinaryIO, run: Mapping[str, Any]):
        self.path = path
        self.pictures = 0
        self.replaces = False
        self._file = file
        self._header = json.dumps({"schema": SCHEMA, "run": plain(run)}).encode() + b"\n"

    def earlier(self) -> Iterator[FinishedBatch]:
        """Yield the batches that an earlier run of the same kind finished; all before `append`."""
        self._file.seek(0)
        good = 0
        first = self._file.readline()
        self.replaces = bool(first) and first != self._header
        if first == self._header:
            good = self._file.tell()
            for line in self._file:
                batch = _batch(line)
                if batch is None:
                    break
                good += len(line)
                self.pictures = batch.consumed
                yield batch
        self._file.truncate(good)
        self._file.seek(good)
        if not good:
            self._write(self._header)

    def append(self, batch: FinishedBatch) -> None:
        """Keep what one batch found."""
        self._write(json.dumps(plain(batch)).encode() + b"\n")
        self.pictures = batch.consumed

    def _write(self, line: bytes) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from None


@contextmanager
def run_state(folder: Path, run: Mapping[str, Any]) -> Iterator[RunState]:
    """Open the state of `run` in `folder`; remove it unless an exception leaves the block.

    Raises InputError when the folder cannot be written to, or another process judges it.
    """
    path = folder / UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+b", opener=open_own)  # noqa: SIM115 (closed by the block below)
    except OSError as error:
        raise _unwritable(path, error) from None
    with file:
        _lock(file, folder)
        state = RunState(path, file, run)
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
        f"{path} cannot be written: {error.strerror}. Make room, or name another folder for "
        "the results with OUT=."
    )


def _batch(line: bytes) -> FinishedBatch | None:
    """Return the batch of a line; None where it was cut off or holds something else."""
    if not line.endswith(b"\n"):
        return None
    try:
        batch: FinishedBatch = revive(FinishedBatch, parse_json(line, finite=False))
    except ValueError:
        return None
    return batch


def run_identity(
    samples: Samples,
    folder: Path,
    reference: Path | None,
    given: GivenTolerances,
    session: ParitySession,
) -> dict[str, str]:
    """Return what must be equal for one run's findings to be another's too.

    Samples are told by name, size and time of change; the bundle and a stored reference by
    their SHA-256, and the bundle holds that of its files and of its checkpoint.
    """
    stats = [(path.name, path.stat()) for path in samples.paths]
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    runtimes = [(each.artifact.path, each.runtime) for each in session.runs]
    return {
        "bundle": sha256_of(folder / MANIFEST),
        "reference": "checkpoint" if reference is None else sha256_of(reference),
        "samples": hashlib.sha256(repr(files).encode()).hexdigest(),
        "runtimes": repr(runtimes),
        "tolerances": repr(sorted({**TABLE, **given.rows}.items())),
        "versions": ", ".join(f"{library} {version(library)}" for library in LIBRARIES),
        "machine": f"{platform.node()}, {platform.machine()}, {platform.python_version()}",
    }


@contextmanager
def resumed(
    state: RunState, samples: Samples, session: ParitySession, tell: Callable[[str], None]
) -> Iterator[float]:
    """Give `session` what an earlier run found; yield the seconds that one had taken.

    An interruption of the block passes on once `tell` was told what is kept.
    """
    seconds = 0.0
    for batch in state.earlier():
        session.resume(batch.findings)
        samples.start = samples.consumed = batch.consumed
        samples.skipped.extend(batch.skipped)
        seconds += batch.seconds
    if samples.start:
        tell(f"Going on after {samples.start:,} of {len(samples):,} pictures of an earlier run.")
    elif state.replaces:
        tell("An unfinished run on other pictures, files or options was there: starting afresh.")
    try:
        yield seconds
    except KeyboardInterrupt:
        if state.pictures:
            tell(
                f"{state.pictures:,} of {len(samples):,} pictures are done and kept: "
                "the same command goes on from there."
            )
        raise
