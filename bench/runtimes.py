"""Measure the reference runtime beside eager PyTorch: same network and pictures, one process.

Run as `python -m bench.runtimes BUNDLE CHECKPOINT`; prints one JSON object. The three take
turns picture by picture, so that whatever else the machine does hits them alike.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from bench.export import eight_pictures, export_command
from bench.measure import busy, run
from bench.rows import Row, ratios
from export.bundle import read_bundle
from segport.__main__ import SPINS
from validate import coreml
from validate.reference.network import load_reference
from validate.runtimes.interface import as_feature, as_input

THREADS = 2
ROUNDS = 15
AIMS = {"float32": 0.85, "as_stored": 0.88}


def rows(checkpoint: Path, folder: Path, rounds: int, console: Console) -> list[Row]:
    """Run the three alone, and beside two busy processes, with spinning bounded as in Segport."""
    run(export_command(checkpoint, folder / "build", eight_pictures(folder / "eight")))
    bundle = str(folder / "build" / checkpoint.stem)
    command = [sys.executable, "-m", "bench.runtimes", bundle, str(checkpoint)]
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    quiet = [json.loads(run(command).output.splitlines()[-1]) for _ in range(rounds)]
    with busy(2):
        loud = [json.loads(run(command).output.splitlines()[-1]) for _ in range(rounds)]
    eager = statistics.median(each["eager"] for each in quiet)
    loading = statistics.median(each["loading"] for each in quiet)
    console.print(f"Eager PyTorch: {eager * 1e3:.0f} ms a picture; loading: {loading:.2f} s.")
    return [
        *(Row(f"{name} : eager", _ratios(quiet, name), aim) for name, aim in AIMS.items()),
        *(Row(f"{name} : eager, beside busy processes", _ratios(loud, name), 1) for name in AIMS),
    ]


def _ratios(runs: list[dict[str, float]], name: str) -> tuple[float, ...]:
    return ratios([each[name] for each in runs], [each["eager"] for each in runs])


def main(folder: str, checkpoint: str) -> None:
    """Print median seconds a picture, and those of loading."""
    torch.set_num_threads(THREADS)
    bundle = read_bundle(Path(folder))
    eager = load_reference(bundle, Path(folder), Path(checkpoint))
    package = Path(folder) / next(a.path for a in bundle.artifacts if a.format == "mlprogram")
    coreml.load(package)  # the imports are paid once a process, not once a load
    started = time.perf_counter()
    as_stored = coreml.load(package, arithmetic="as_stored")
    loading = time.perf_counter() - started
    meant = coreml.load(package, arithmetic="float32")
    height, width = bundle.contract.height, bundle.contract.width
    shape = (height, width, bundle.contract.channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture, batch = as_feature(pixels), torch.from_numpy(as_input(pixels))

    def run_eager() -> None:
        with torch.inference_mode():
            eager(batch)

    seconds = _take_turns(
        {
            "eager": run_eager,
            "float32": lambda: meant.predict({"image": picture}),
            "as_stored": lambda: as_stored.predict({"image": picture}),
        }
    )
    print(json.dumps({"loading": loading, **seconds}))  # noqa: T201


def _take_turns(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 2):
        for name, runtime in runs.items():
            started = time.perf_counter()
            runtime()
            if turn >= 2:  # the first ones prepare weights and fill caches
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
