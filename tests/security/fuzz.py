"""Read files that are wrong at random, each kind in a process of limited time and memory.

    make fuzz CASES=20000 SEED=1

A case ends with a result or with one refusal (InputError, ValidationFailed). Whatever else it does
is told with its name, from which the case is made again, and what it read is kept.
"""

import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import click
from limited_reader import Reader

KINDS = ("fuzz_bundles", "fuzz_checkpoints", "fuzz_packages")
SECONDS = 60.0
"""For one case: a busy machine is slow, and what hangs takes longer."""
MOST_MEMORY = 1 << 30
KEPT = Path("build") / "fuzz"


def fuzz(kind: str, cases: Iterable[str], kept: Path) -> Iterator[str]:
    """Make and read `cases` of a kind; yield for each an empty text, or what is wrong with it."""
    module: Any = importlib.import_module(kind)
    with Reader(module.read_case) as reader, tempfile.TemporaryDirectory() as temporary:
        for case in cases:
            folder = Path(temporary) / "case"
            folder.mkdir()
            path = module.make_case(Random(f"{kind}:{case}"), folder)
            try:
                memory = reader.read(path, SECONDS).memory
                assert memory < MOST_MEMORY, f"{path.name} takes {memory >> 20} MiB"
            except AssertionError as error:
                place = kept / f"{kind}-{case}"
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(folder, place, symlinks=True, ignore=_pipes)
                yield f"{kind} {case}: {error} (kept in {place})"
            else:
                yield ""
            shutil.rmtree(folder)


def _pipes(folder: str, names: list[str]) -> list[str]:
    """Return the names that copying would wait for."""
    return [name for name in names if (Path(folder) / name).is_fifo()]


def _run(kind: str, cases: list[str], tick: Callable[[], None]) -> list[str]:
    faults = []
    for told in fuzz(kind, cases, KEPT):
        tick()
        if told:
            faults.append(told)
            click.echo(told)
    return faults


@click.command()
@click.option("--cases", default=3000, help="How many, of all kinds together.")
@click.option("--seed", default=0, help="Another seed gives other cases.")
@click.option("--kinds", default=",".join(KINDS), help="Which modules make and read them.")
def main(cases: int, seed: int, kinds: str) -> None:
    """Read CASES files that are wrong at random; exit 1 where one does anything but that."""
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    asked, processes = list(dict.fromkeys(kinds.split(","))), os.cpu_count() or 1
    numbered = [(asked[number % len(asked)], f"{seed}-{number}") for number in range(cases)]
    jobs = [
        (kind, [case for each, case in numbered if each == kind][start::processes])
        for kind in asked
        for start in range(processes)
    ]
    for kind in asked:  # the healthy files are made once, before threads would race for them
        with tempfile.TemporaryDirectory() as temporary:
            importlib.import_module(kind).make_case(Random(0), Path(temporary))
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as bar, ThreadPoolExecutor(processes) as pool:
        task = bar.add_task("Reading", total=cases)
        done = [pool.submit(_run, *job, lambda: bar.advance(task)) for job in jobs]
        faults = [fault for each in done for fault in each.result()]
    click.echo(f"{cases} cases of seed {seed}, {len(faults)} of them at fault.")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
