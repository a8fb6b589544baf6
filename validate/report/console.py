"""Print a report on a console: a table of the files, and what there is to say of them."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.common.console import print_line
from validate.report import compression_text
from validate.report import drift_text as words
from validate.report.text import COLUMNS, ranges, row, times
from validate.results.drift import Drift
from validate.results.numbers import FORMATS
from validate.results.parity import ArtifactResult, Report

IN_TABLE = ("runtime", "PSNR", "largest error", "decisive flips", "verdict")
STYLES = {
    "passed": "green",
    "failed": "bold red",
    "not run": "yellow",
}


def print_report(report: Report, console: Console) -> None:
    """Print figures and reasons of each file, and as the last line that parity holds.

    A command that fails tells its verdict by its error, and not twice.
    """
    console.print(_table(report))
    for result in report.results:
        _print_reasons(result, console)
    for line in compression_text.lines(report):
        print_line(console, line)
    _print_times(report, console)
    for text in ranges(report.ranges) if report.ranges else ():
        print_line(console, text, "yellow")
    _print_skipped(report, console)
    if report.passed:
        print_line(console, report.sentence, STYLES["passed"])


def _print_reasons(result: ArtifactResult, console: Console) -> None:
    """Print why a file failed or was not run: one reason in its line, several below each other."""
    what = "not run here" if result.status == "not run" else "failed"
    title, style = f"{result.path} ({result.runtime}) {what}:", STYLES[result.status]
    if len(result.reasons) == 1:
        print_line(console, f"{title} {result.reasons[0]}.", style)
    elif result.reasons:
        print_line(console, title, style)
        for reason in result.reasons:
            print_line(console, f"  {reason}", style)


def _table(report: Report) -> Table:
    """Return the columns IN_TABLE, which fit into 80 columns; reports have them all."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("format", no_wrap=True)
    for column in IN_TABLE:
        table.add_column(column, justify="left" if column == "runtime" else "right", no_wrap=True)
    for result in report.results:
        cells = dict(zip(COLUMNS, row(result), strict=True))
        texts = [Text(cells[column]) for column in IN_TABLE]
        texts[-1] = Text(result.status, STYLES[result.status])
        form = f" {result.quality.form}" if result.quality else ""
        table.add_row(FORMATS[result.format].removeprefix("Core ML ") + form, *texts)
    return table


def _print_times(report: Report, console: Console) -> None:
    found = times(report)
    if found:
        print_line(console, "Milliseconds of a picture on this machine (× PyTorch):")
    for path, runtime, time in found:
        print_line(console, f"  {path}: {time} in {runtime}")


def _print_skipped(report: Report, console: Console) -> None:
    skipped = report.samples.skipped
    if not skipped:
        return
    print_line(console, f"Not used, of {report.samples.origin} ({len(skipped)}):")
    for each in skipped[:10]:
        print_line(console, f"  {each.name}: {each.reason}")
    if len(skipped) > 10:
        print_line(console, f"  and {len(skipped) - 10} more")


WORST = 5


def print_drift(drifts: tuple[Drift, ...], console: Console) -> None:
    """Print for each file where it departs, what that operation was given, the worst operations."""
    for drift in drifts:
        style = "bold red" if drift.first else "yellow" if drift.failure else "green"
        print_line(console, words.sentence(drift), style)
        if drift.first is not None:
            for text in (words.inputs(drift.first), words.weights(drift.first)):
                if text:
                    print_line(console, f"  {text}")
        if drift.rows:
            print_line(console, f"  {words.mapped(drift)}, on {drift.picture}.")
            for operation, module, *errors in words.worst(drift, WORST):
                print_line(console, f"  {operation} ({module})")
                named = zip(words.COLUMNS[2:], errors, strict=True)
                print_line(console, "    " + ", ".join(f"{name} {error}" for name, error in named))
