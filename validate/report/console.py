"""Print a report on a console: a table on a terminal, plain lines elsewhere."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.common.console import print_line
from validate.report import compression_text
from validate.report import drift_text as words
from validate.report.text import COLUMNS, ranges, reasons, row, times
from validate.results.drift import Drift
from validate.results.numbers import FORMATS
from validate.results.parity import ArtifactResult, Report

IN_TABLE = ("runtime", "PSNR", "largest error", "decisive flips", "verdict")
STYLES = {
    "passed": "green",
    "failed": "bold red",
    "not run": "yellow",
    "not all judged": "yellow",
    "nothing judged": "yellow",
}


def print_report(report: Report, console: Console) -> None:
    """Print figures and reasons of each file, and the verdict as the last line."""
    if console.is_terminal:
        console.print(_table(report))
    else:
        for result in report.results:
            print_line(console, _plain(result))
    for result in report.results:
        if result.reasons:
            what = "not run here" if result.status == "not run" else "failed"
            text = f"{result.path} ({result.runtime}) {what}: {reasons(result)}."
            print_line(console, text, STYLES[result.status])
    for line in compression_text.lines(report):
        print_line(console, line)
    _print_times(report, console)
    for text in ranges(report.ranges) if report.ranges else ():
        print_line(console, text, "yellow")
    _print_skipped(report, console)
    print_line(console, report.sentence, STYLES[report.verdict])


def _table(report: Report) -> Table:
    """Return the columns IN_TABLE, which fit into 80 columns; reports have them all."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("format", no_wrap=True)
    for column in IN_TABLE:
        table.add_column(column, justify="left" if column == "runtime" else "right")
    for result in report.results:
        cells = dict(zip(COLUMNS, row(result), strict=True))
        texts = [Text(cells[column]) for column in IN_TABLE]
        texts[-1].stylize(STYLES[result.status])
        form = f" {result.quality.form}" if result.quality else ""
        table.add_row(FORMATS[result.format].removeprefix("Core ML ") + form, *texts)
    return table


def _plain(result: ArtifactResult) -> str:
    """Return one line with every figure named, for logs."""
    cells = dict(zip(COLUMNS, row(result), strict=True))
    start = f"{cells.pop('file')}: {cells.pop('verdict')}"
    return ", ".join([start, *(f"{name} {text}" for name, text in cells.items())])


def _print_times(report: Report, console: Console) -> None:
    found = ", ".join(f"{path} {time} in {runtime}" for path, runtime, time in times(report))
    if found:
        print_line(console, f"Milliseconds of a picture on this machine (× PyTorch): {found}.")


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
            _print_worst(drift, console)


def _print_worst(drift: Drift, console: Console) -> None:
    rows = words.worst(drift, WORST)
    if not console.is_terminal:
        for cells in rows:
            named = zip(words.COLUMNS[1:], cells[1:], strict=True)
            print_line(console, f"  {cells[0]}: " + ", ".join(f"{k} {v}" for k, v in named))
        return
    table = Table(box=None, padding=(0, 1, 0, 2), header_style="bold")
    for position, column in enumerate(words.COLUMNS):
        table.add_column(column, justify="left" if position < 2 else "right", overflow="fold")
    for cells in rows:
        table.add_row(*map(Text, cells))
    console.print(table)
