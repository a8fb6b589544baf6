"""Run pytest on coremltools' test files, in a process of its own, and follows its outcomes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn
from rich.progress import Progress as Bar

from conformance import suite
from conformance.outcomes import Outcome, read
from models.errors import InputError

_LOG = "pytest.log"
OUTCOMES = "outcomes.jsonl"
_PACKAGES = (Path(__file__).parents[1], Path(__file__).parents[3])
_NOTHING_RAN = 5
_ENDED = (0, 1, _NOTHING_RAN)
"""Exit codes of pytest that mean it came to its end: all passed, some failed, none left."""

Progress = Callable[[int, int], None]


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show how many cases are done: a bar on a terminal, a line for each thousand elsewhere."""
    if console.is_terminal:
        with Bar(*Bar.get_default_columns(), MofNCompleteColumn(), console=console) as bar:
            task = bar.add_task("Cases", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    shown = 0

    def say(done: int, total: int) -> None:
        nonlocal shown
        if done // 1000 > shown:
            shown = done // 1000
            console.print(f"{done:,} of {total:,} cases", highlight=False)

    yield say


@dataclass(frozen=True, slots=True)
class Selection:
    """Hold what is run, and how.

    Attributes:
        files: test files of coremltools.
        workers: processes to run them in.
        subset: how many cases to choose; 0 for all.
        native: whether Core ML itself runs beside the runtime (macOS).
    """

    files: tuple[Path, ...]
    workers: int
    subset: int
    native: bool


def run(folder: Path, choice: Selection, progress: Progress) -> list[Outcome]:
    """Run the cases that have no outcome in `folder` yet.

    Args:
        folder: where outcomes and pytest's own output are written.
        choice: what to run.
        progress: called with how many are done, and how many there are.

    Returns:
        All outcomes in the folder.

    Raises:
        InputError: if pytest did not come to its end; a next run goes on from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = folder / OUTCOMES
    command = _command(outcomes, choice)
    with (folder / _LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=_environment(), cwd=folder
        )
        try:
            _follow(process, outcomes, progress)
        finally:
            process.terminate()
            process.wait()
    if process.returncode not in _ENDED:
        raise InputError(
            f"pytest stopped with the code {process.returncode}: see {folder / _LOG}. "
            "Run it again with --resume to go on from there."
        )
    return list(read(outcomes))


def _command(outcomes: Path, choice: Selection) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-c", os.devnull]
    command += ["--rootdir", str(suite.coremltools_folder())]
    command += ["-p", "conformance.plugin", "-p", "no:cacheprovider"]
    command += [suite.OUTCOMES_OPTION, str(outcomes.resolve())]
    command += [suite.SUBSET_OPTION, str(choice.subset)]
    # Cases that coremltools expects Core ML to fail are run as all others are.
    command += ["--runxfail", "-q", "--tb=line", "-W", "ignore"]
    command += [suite.NATIVE_OPTION] if choice.native else []
    command += ["-n", str(choice.workers)] if choice.workers > 1 else ["-p", "no:xdist"]
    return command + [str(file) for file in choice.files]


def _environment() -> dict[str, str]:
    paths = [*map(str, _PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "INCLUDE_MIL_FP32_UNIT_TESTS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        # Workers must collect the same cases in the same order.
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
    }


def _follow(process: subprocess.Popen[bytes], outcomes: Path, progress: Progress) -> None:
    total = outcomes.with_suffix(".total")
    while process.poll() is None:
        time.sleep(0.5)
        if outcomes.exists() and total.exists():
            text = total.read_text(encoding="utf-8")
            progress(outcomes.read_bytes().count(b"\n"), int(text or 0))
