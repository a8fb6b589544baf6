"""Trace the deployable module once; TorchScript and Core ML are both made of this trace."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from models.deployable import Deployable
from models.errors import InputError, SegportError
from models.specification import InputContract

SEED = 20


class SingleImage(nn.Module):
    """Drop the batch dimension of the mask: Xcode's preview wants `[H, W]`."""

    def __init__(self, deployable: nn.Module):
        super().__init__()
        self.deployable = deployable

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `logits (1, C, H, W)` and `mask (H, W)`, or `(C, H, W)`, of one image."""
        logits, mask = self.deployable(image)
        return logits, mask[0]


def example_image(contract: InputContract, seed: int = SEED) -> Tensor:
    """Return seeded noise in [0, 1], `(1, channels, H, W)`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(contract.shape, generator=generator)


def trace(deployable: Deployable, contract: InputContract) -> torch.jit.ScriptModule:
    """Trace `deployable` and check the trace on another input than it was made with.

    Raises SegportError when the trace computes something else, as it does for a network
    whose Python code branches on the values of its input, and InputError when the network itself
    gives logits that are NaN or infinite.
    """
    with torch.no_grad(), _quiet():
        traced: torch.jit.ScriptModule = torch.jit.trace(
            deployable, example_image(contract), check_trace=False
        )
        other = example_image(contract, SEED + 1)
        expected, _ = deployable(other)
        actual, _ = traced(other)
    if not expected.isfinite().all():
        raise InputError(
            "PyTorch itself gives NaN or infinite logits, in float32 and on random pixels, so that "
            "no exported file could be right. Take an earlier checkpoint, or train again from one "
            "that is sound."
        )
    largest = float((actual - expected).abs().max())
    allowed = 1e-4 * max(float(expected.max() - expected.min()), 1e-6)
    if not largest <= allowed:
        raise SegportError(
            f"Tracing changes what the network computes (logits differ by {largest:.3g}): its code "
            "branches on its input, which a trace cannot follow."
        )
    return traced


def takes_batches(traced: torch.jit.ScriptModule, contract: InputContract) -> bool:
    """Return whether a trace, which was made with one picture, takes two at once."""
    try:
        with torch.no_grad():
            logits, _ = traced(example_image(contract).repeat(2, 1, 1, 1))
    except RuntimeError:
        return False
    return len(logits) == 2


def trace_single_image(
    traced: torch.jit.ScriptModule, contract: InputContract
) -> torch.jit.ScriptModule:
    """Return the same trace with outputs as Core ML gives them for one image."""
    with torch.no_grad(), _quiet():
        single: torch.jit.ScriptModule = torch.jit.trace(
            SingleImage(traced), example_image(contract), check_trace=False
        )
    return single


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # The network's sizes become constants, which is what a fixed input size wants.
        warnings.simplefilter("ignore", TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
