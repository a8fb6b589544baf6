"""Measure how the cost of an export grows, beside what the machine could do at best.

The bound is what the multiply-adds of the networks take at the machine's speed of a large matrix
product, or the bytes of weights at its speed of copying, whichever is longer.
"""

import models.torchvision_shim  # noqa: F401

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from segmentation_models_pytorch import Unet
from torch.utils.flop_counter import FlopCounterMode

from bench.export import export_command
from bench.measure import peak_memory, run
from bench.rows import Row

RUNTIMES = 4
"""PyTorch, TorchScript, Core ML and ONNX each run every picture."""
COPIES = 7
"""How often weights are read or written: read, four files written, hashed and loaded again."""


@dataclass(frozen=True)
class Case:
    """Hold what is exported: an encoder, the side of its input, and how many pictures."""

    encoder: str = "resnet34"
    size: int = 256
    pictures: int = 8


CASES = (
    *(Case(size=size) for size in (64, 128, 256, 512, 1024)),
    *(Case(encoder) for encoder in ("resnet18", "resnet50", "resnet101", "resnet152")),
    *(Case(size=64, pictures=pictures) for pictures in (1, 100, 2000)),
)


def rows(_checkpoint: Path, folder: Path, _rounds: int, console: Console) -> list[Row]:
    """Export each case once for its time, once for its memory; there are no aims."""
    product, copying = _speed()
    table = Table("encoder", "size", "pictures", "GMAC", "weights MB", "s", "bound s", "MiB")
    for number, case in enumerate(CASES):
        place = folder / str(number)
        network = _network(case.encoder)
        (place / "pictures").mkdir(parents=True)
        torch.save(network.state_dict(), place / "net.pt")
        _copy_pictures(place / "pictures", case.pictures)
        command = export_command(place / "net.pt", place / "build", place / "pictures")
        command += ["--size", str(case.size)]
        seconds = run(command, code=None).seconds
        memory = peak_memory(command, code=None) / 2**20
        macs, weights = _macs(network, case.size), (place / "net.pt").stat().st_size
        bound = max(2 * macs * RUNTIMES * case.pictures / product, COPIES * weights / copying)
        table.add_row(
            *(case.encoder, str(case.size), f"{case.pictures:,}", f"{macs / 1e9:.2f}"),
            *(f"{weights / 1e6:.0f}", f"{seconds:.1f}", f"{bound:.1f}", f"{memory:,.0f}"),
        )
        shutil.rmtree(place)
    console.print(table)
    console.print(
        f"{product / 1e9:.0f} GFLOPS in a matrix product, {copying / 1e9:.1f} GB/s copied"
    )
    return []


def _network(encoder: str) -> Unet:
    torch.manual_seed(0)
    return Unet(encoder, encoder_weights=None, classes=2).eval()


def _copy_pictures(folder: Path, count: int) -> None:
    samples = sorted(Path("samples").glob("*.jpg"))
    for number in range(count):
        shutil.copy(samples[number % len(samples)], folder / f"{number:05}.jpg")


def _macs(network: Unet, size: int) -> float:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, 3, size, size))
    return float(counter.get_total_flops()) / 2


def _speed(side: int = 3000) -> tuple[float, float]:
    """Return the operations a second of a product of matrices, and bytes a second of a copy."""
    matrix = torch.rand(side, side)
    return (
        2 * side**3 / _fastest(lambda: matrix @ matrix),
        matrix.nbytes / _fastest(lambda: matrix + 0),
    )


def _fastest(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
