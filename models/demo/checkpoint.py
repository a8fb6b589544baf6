"""Make the demonstration checkpoint: a U-Net of full size, trained on the samples alone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.common.lean_imports import without_dynamo
from models.demo.fit import Plan, fit
from models.demo.samples import read_samples
from models.demo.views import originals
from models.errors import InputError

LABELS = ("background", "breakage")
NOTE = (
    "A demonstration, no damage detector: a random encoder, and a decoder that was trained for a "
    "minute on Segport's own rendered samples. Its masks mean nothing on any other picture."
)
BRANCH = 0.3
"""Scale of the encoder's residual branches: at full strength, untrained ones drown the picture."""
SEED = 0
THREADS = 2
"""Sums are split by threads, so that the last digits depend on their number."""


def make_demo_checkpoint(path: Path, samples: Path) -> None:
    """Write the state dict of an smp `Unet("resnet34", classes=2)` with its labels to `path`.

    The network is fitted to the pictures and masks in the folder `samples`; the same samples
    give the same file on the same machine. Nothing is written before it is complete.

    Raises:
        InputError: no samples in `samples`, or `path` cannot be written.
    """
    sources = read_samples(samples)
    network = untrained()
    with _threads(THREADS):
        fit(network, originals(sources), Plan())
    _write(path, {"state_dict": network.state_dict(), "labels": list(LABELS), "note": NOTE})


def untrained(encoder: str = "resnet34") -> nn.Module:
    """Return the network before it is fitted: smp's initialisation from a fixed seed."""
    import models.torchvision_shim  # noqa: F401  (must come before smp)

    with without_dynamo():
        import segmentation_models_pytorch as smp

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network: nn.Module = smp.Unet(encoder, encoder_weights=None, classes=len(LABELS))
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                # Batch norms as training leaves them: a converter that drops one is then noticed.
                nn.init.uniform_(module.weight, 0.8, 1.2)
                nn.init.normal_(module.bias, 0.0, 0.1)
                if name.startswith("encoder.layer") and name.endswith("bn2"):
                    module.weight.data.mul_(BRANCH)
    return network


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _write(path: Path, contents: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".demo-", dir=path.parent) as beside:
            draft = Path(beside) / path.name
            with draft.open("wb") as file:  # a path's name would end up inside the archive
                torch.save(contents, file)
            draft.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise InputError(
            f"The demo checkpoint cannot be written to {path}: {error}. Choose another place."
        ) from error
