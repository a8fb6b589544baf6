"""Times the reference runtime beside eager PyTorch: same network, same pictures, one process.

Run as `python -m bench.runtimes BUNDLE CHECKPOINT`; prints one JSON object. The three take
turns picture by picture, so that whatever else the machine does hits them alike.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from export.bundle import read_bundle
from validate import coreml
from validate.reference.network import load_reference
from validate.runtimes.interface import as_feature, as_input

THREADS = 2
ROUNDS = 15


def main(folder: str, checkpoint: str) -> None:
    """Print median milliseconds per picture, load seconds and peak memory."""
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"loading": loading, "peak": peak * 1024, **seconds}))  # noqa: T201


def _take_turns(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 2):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if turn >= 2:  # the first ones prepare weights and fill caches
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
