"""Where files depart from PyTorch, on a console."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.common.console import print_line
from validate.report import drift_text as words
from validate.results.drift import Drift

WORST = 5


def print_drift(drifts: tuple[Drift, ...], console: Console) -> None:
    """For each file: the sentence, what the departing operation was given, the worst operations."""
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
