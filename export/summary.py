"""Print the last lines of an export: what was written, how large, what the user should know."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from export.bundle import Bundle
from models.common.console import print_line
from models.common.spelling import spelled, style


def print_summary(bundle: Bundle, folder: Path, console: Console) -> None:
    """Print notes and findings, every file with its size, and where they lie."""
    of_files = [note for artifact in bundle.artifacts for note in artifact.notes]
    for sentence in (*_assumptions(bundle), *bundle.findings, *bundle.notes, *of_files):
        print_line(console, f"Note: {spelled(sentence, style())}", "yellow")
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for artifact in bundle.artifacts:
        size = Text(f"{artifact.size / 1e6:.1f} MB", justify="right")
        table.add_row(Text(artifact.path), size, f"{artifact.arithmetic}, {artifact.target}")
    console.print(table)
    print_line(console, f"Wrote {folder} ({_size(bundle)}), parity held.")
    print_line(console, f"Report: {folder / 'report.html'}")


def _assumptions(bundle: Bundle) -> list[str]:
    specification = bundle.specification
    return [
        f"{name}={specification.arguments[name]} is assumed: {reason}."
        for name, reason in specification.assumed.items()
    ]


def _size(bundle: Bundle) -> str:
    return f"{sum(artifact.size for artifact in bundle.artifacts) / 1e6:.1f} MB"
