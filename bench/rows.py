"""Hold what is measured, with its aim, and print it as a table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

LEEWAY = 1.1
"""An aim is missed when a figure is larger than it by more than a tenth."""


@dataclass(frozen=True)
class Row:
    """Hold what was measured, each time that it was, and the most that it should be."""

    name: str
    figures: tuple[float, ...]
    aim: float
    unit: str = "×"

    @property
    def median(self) -> float:
        """Return the median of the figures."""
        return statistics.median(self.figures)

    @property
    def missed(self) -> bool:
        """Return whether the median is larger than the aim by more than a tenth."""
        return self.median > self.aim * LEEWAY


def ratios(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float, ...]:
    """Return how many times the one each other takes, run by run."""
    return tuple(part / whole for part, whole in zip(parts, wholes, strict=True))


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print what was measured, its spread and its aim, and mark what was missed."""
    table = Table("measured", "median", "from … to", "aim", "")
    for row in rows:
        spread = f"{min(row.figures):.2f} … {max(row.figures):.2f}"
        verdict = "[red]missed[/]" if row.missed else "[green]held[/]"
        figures = f"{row.median:.2f} {row.unit}", spread, f"≤ {row.aim:.2f} {row.unit}"
        table.add_row(row.name, *figures, verdict)
    console.print(table)
