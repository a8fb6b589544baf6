"""Measure how soon commands answer that have little to do."""

import sys
from pathlib import Path

from rich.console import Console

from bench.measure import run
from bench.rows import Row

SEGPORT = [sys.executable, "-m", "segport"]
TORCH = [sys.executable, "-c", "import torch"]


def rows(checkpoint: Path, _folder: Path, rounds: int, _console: Console) -> list[Row]:
    """Run `inspect` in turns with an import of torch; then help, version and a refused option."""
    inspect = [*SEGPORT, "inspect", str(checkpoint)]
    over = tuple(run(inspect).seconds - run(TORCH).seconds for _ in range(rounds))
    at_once = {
        "--help": [*SEGPORT, "--help"],
        "--version": [*SEGPORT, "--version"],
        "a refused option": [*SEGPORT, "export", "--no-such-option"],
    }
    return [
        Row("inspect, beyond import torch", over, 1.0, "s"),
        *(
            Row(name, tuple(run(words, code=None).seconds for _ in range(rounds)), 0.3, "s")
            for name, words in at_once.items()
        ),
    ]
