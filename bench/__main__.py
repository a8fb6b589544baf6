"""`python -m bench`: the main job beside a bare conversion script, the runtimes beside PyTorch."""

import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.measure import Run, peak_memory
from bench.measure import run as measure
from models.common.cli import CONTEXT, run

DEMO = Path("build/demo/breakage.pt")
SAMPLES = 8
AIM_TIME, AIM_MEMORY = 1.5, 1.2
PYTHON = sys.executable
STAGE = re.compile(r"^✓ (.+?)\s+([\d.]+) s$", re.MULTILINE)


@click.command(context_settings=CONTEXT)
@click.option("--rounds", default=3, show_default=True, help="How often each is run, in turns.")
def main(rounds: int) -> None:
    """Run the pipeline and a bare conversion script in turns and compare time and memory."""
    console = Console()
    if not DEMO.exists():
        from models.demo.checkpoint import make_demo_checkpoint
        from validate.images.folders import RENDERED

        make_demo_checkpoint(DEMO, RENDERED)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        samples = _eight_samples(work / "samples")
        (work / "bare").mkdir()
        script, pipeline = _script(work / "bare"), _pipeline(work / "build", samples)
        bare, full = [], []
        for _ in range(rounds):
            bare.append(measure(script))
            full.append(measure(pipeline))
        _print_times(console, bare, full)
        _print_memory(console, peak_memory(script), peak_memory(pipeline))
        times = measure([PYTHON, "-m", "bench.runtimes", str(work / "build/breakage"), str(DEMO)])
        _print_runtimes(console, json.loads(times.output.splitlines()[-1]))


def _script(folder: Path) -> list[str]:
    return [PYTHON, "-m", "bench.baseline", str(DEMO), str(folder)]


def _pipeline(out: Path, samples: Path) -> list[str]:
    options = ["--out", str(out), "--samples", str(samples)]
    return [PYTHON, "-m", "segport", "export", str(DEMO), *options]


def _eight_samples(folder: Path) -> Path:
    folder.mkdir()
    for path in sorted(Path("samples").glob("*.jpg"))[:SAMPLES]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _print_times(console: Console, bare: list[Run], full: list[Run]) -> None:
    table = Table("stage", "script s", "Segport s", title="Wall time, median of the runs")
    stages = [dict(re.findall(r"^(\w+)\t([\d.]+)$", run.output, re.MULTILINE)) for run in bare]
    for name in stages[0]:
        table.add_row(name, f"{statistics.median(float(s[name]) for s in stages):.1f}", "")
    ours = [dict(STAGE.findall(run.output)) for run in full]
    for name in ours[0]:
        table.add_row(name, "", f"{statistics.median(float(s[name]) for s in ours):.1f}")
    seconds = [statistics.median(run.seconds for run in runs) for runs in (bare, full)]
    table.add_row("all", f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", style="bold")
    console.print(table)
    console.print(
        f"Time: {seconds[1] / seconds[0]:.2f} times the script's (aim: {AIM_TIME}). "
        f"Segport also writes ONNX and checks {SAMPLES} pictures."
    )


def _print_memory(console: Console, bare: int, full: int) -> None:
    console.print(
        f"Peak memory: {bare / 2**20:.0f} and {full / 2**20:.0f} MiB, {full / bare:.2f} times "
        f"(aim: {AIM_MEMORY})."
    )


def _print_runtimes(console: Console, times: dict[str, float]) -> None:
    table = Table("runtime", "ms a picture", "ratio", title="Core ML reference runtime, 2 threads")
    for name in ("eager", "float32", "as_stored"):
        table.add_row(name, f"{times[name] * 1e3:.0f}", f"{times[name] / times['eager']:.2f}")
    console.print(table)
    console.print(f"Loading the package took {times['loading']:.2f} s.")


if __name__ == "__main__":
    run(main, "python -m bench")
