"""Run coremltools' own tests on the runtime: the command `python -m conformance`."""

import sys
from pathlib import Path
from typing import Any

import click

from conformance import pytest_run, report, suite
from models.common.cli import CONTEXT, console, run
from models.errors import InputError, ValidationFailed


@click.command(context_settings=CONTEXT)
@click.argument("files", nargs=-1)
@click.option("-n", "workers", type=click.IntRange(1), default=1, help="Processes to run in.")
@click.option("--subset", type=click.IntRange(0), default=0, help="Run so many cases, spread out.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run stopped.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/conformance"),
    show_default=True,
    help="Where outcomes are written.",
)
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), help="Write the docs' page too."
)
@click.option("--native", is_flag=True, help="Compare with Core ML itself too (macOS).")
def main(
    files: tuple[str, ...], out: Path, page: Path | None, resume: bool, **options: Any
) -> None:
    """Run coremltools' tests of operations with the reference runtime in the place of Core ML.

    FILES narrows them to test files with one of these texts in their name: iOS17, test_conv.py.
    """
    if options["native"] and sys.platform != "darwin":
        raise InputError("Core ML is not on this machine: --native needs a Mac.")
    if not resume:
        (out / pytest_run.OUTCOMES).unlink(missing_ok=True)
    screen = console()
    choice = pytest_run.Selection(tuple(suite.test_files(files)), **options)
    with pytest_run.progress(screen) as progress:
        outcomes = pytest_run.run(out, choice, progress)
    summary = report.summarise(outcomes)
    report.show(summary, screen)
    report.write_json(summary, out / "conformance.json")
    if page is not None:
        report.write_page(summary, page)
    if summary.failures:
        raise ValidationFailed(
            f"{len(summary.failures)} cases failed: see {out / 'conformance.json'}."
        )


if __name__ == "__main__":
    run(main, "python -m conformance")
