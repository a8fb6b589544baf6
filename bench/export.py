"""Measure an export, with ONNX and parity, beside the script that people paste."""

import re
import shutil
import statistics
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import Run, busy, peak_memory, run
from bench.rows import Row, ratios

PYTHON = sys.executable
PICTURES = 8
STAGE = re.compile(r"^✓ (.+?)\s+([\d.]+) s$", re.MULTILINE)
LAP = re.compile(r"^(\w+)\t([\d.]+)$", re.MULTILINE)


def rows(checkpoint: Path, folder: Path, rounds: int, console: Console) -> list[Row]:
    """Run both in turns: alone, beside two busy processes, and once more for their memory."""
    (folder / "bare").mkdir()
    script = [PYTHON, "-m", "bench.baseline", str(checkpoint), str(folder / "bare")]
    segport = export_command(checkpoint, folder / "build", eight_pictures(folder / "pictures"))
    quiet = [(run(script), run(segport)) for _ in range(rounds)]
    with busy(2):
        loud = [(run(script), run(segport)) for _ in range(rounds)]
    memory = peak_memory(segport) / peak_memory(script)
    _print_stages(quiet, console)
    return [
        Row("export : script", _times(quiet), 1.3),
        Row("the same beside two busy processes", _times(loud), 1.6),
        Row("the same, peak memory", (memory,), 1.3),
    ]


def export_command(checkpoint: Path, out: Path, pictures: Path) -> list[str]:
    """Return the command of an export with all formats and parity on `pictures`."""
    options = ["--out", str(out), "--samples", str(pictures)]
    return [PYTHON, "-m", "segport", "export", str(checkpoint), *options]


def eight_pictures(folder: Path) -> Path:
    """Put the first of the project's own samples into `folder`."""
    folder.mkdir()
    for path in sorted(Path("samples").glob("*.jpg"))[:PICTURES]:
        shutil.copy(path, folder)
    return folder


def _times(runs: list[tuple[Run, Run]]) -> tuple[float, ...]:
    scripts, exports = zip(*runs, strict=True)
    return ratios([each.seconds for each in exports], [each.seconds for each in scripts])


def _print_stages(runs: list[tuple[Run, Run]], console: Console) -> None:
    table = Table("stage", "script s", "Segport s", title="Alone on the machine, medians")
    for column, pattern in enumerate((LAP, STAGE)):
        stages = [dict(pattern.findall(pair[column].output)) for pair in runs]
        for name in stages[0]:
            figure = f"{statistics.median(float(each[name]) for each in stages):.1f}"
            table.add_row(name, *(("", figure) if column else (figure, "")))
    seconds = [statistics.median(pair[column].seconds for pair in runs) for column in (0, 1)]
    table.add_row("all", *(f"{each:.1f}" for each in seconds), style="bold")
    console.print(table)
