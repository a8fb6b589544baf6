"""Which run a state file belongs to, and how a run goes on from it."""

import hashlib
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from export.bundle import MANIFEST
from models.common.hashing import sha256_of
from validate.images.samples import Samples
from validate.metrics.tolerances import TABLE
from validate.metrics.tolerances_file import GivenTolerances
from validate.parity.resume import Unfinished
from validate.parity.session import Trial
from validate.results.machine import LIBRARIES


def run_identity(
    samples: Samples, folder: Path, reference: Path | None, given: GivenTolerances, trial: Trial
) -> dict[str, str]:
    """What must be equal for one run's findings to be another's too.

    Samples are told by name, size and time of change; the bundle and a stored reference by
    their SHA-256, and the bundle holds that of its files and of its checkpoint.
    """
    stats = [(path.name, path.stat()) for path in samples.paths]
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    runtimes = [(each.artifact.path, each.opener.runtime) for each in trial.candidates]
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
    state: Unfinished, samples: Samples, trial: Trial, tell: Callable[[str], None]
) -> Iterator[float]:
    """Give `trial` what an earlier run found; yields the seconds that one had taken.

    An interruption of the block passes on once `tell` was told what is kept.
    """
    seconds = 0.0
    for step in state.earlier():
        trial.restore(step.batch)
        samples.start = samples.consumed = step.consumed
        samples.skipped.extend(step.skipped)
        seconds += step.seconds
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
