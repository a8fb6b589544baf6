"""Edits what the files of a bundle say of themselves, and their weights by next to nothing."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from conv_edits import EDITS
from metadata_edits import edit_metadata
from module_edits import broken
from torch import nn

from export.bundle import Bundle
from export.metadata import PREVIEW_PARAMETERS, description_of, metadata
from export.to_torchscript import write_torchscript

Texts = Callable[[str], str]
STEP = 2e-4
"""How far the weights of a neighbouring epoch are away, as a share of each."""


def _reversed(text: str) -> str:
    return json.dumps(json.loads(text)[::-1])


def _with(**entries: object) -> Texts:
    return lambda text: json.dumps({**json.loads(text), **entries})


METADATA: dict[str, tuple[str, Texts]] = {
    "labels swapped in the metadata": ("segport.labels", _reversed),
    "colours swapped in the metadata": ("segport.colours", _reversed),
    "mean and deviation that are not in the file": (
        "segport.input",
        _with(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ),
    "another input size in the metadata": ("segport.input", _with(width=96)),
    "BGR in the metadata": ("segport.input", _with(colour="BGR")),
    "sigmoid for softmax in the metadata": ("segport.activation", lambda _: "sigmoid"),
    "another checkpoint's SHA-256 in the metadata": (
        "segport.checkpoint",
        _with(sha256="0" * 64),
    ),
}
PREVIEW = "the preview of another network"


def edit_preview(path: Path) -> None:
    """Give Xcode's preview the labels of another network."""
    edit_metadata(path, PREVIEW_PARAMETERS, _with(labels=["road", "sky"]))


def epoch(network: nn.Module) -> None:
    """Move every weight of the convolutions by about 0.02 % of itself."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.mul_(1 + STEP * torch.randn_like(module.weight))


def write_epoch(path: Path, network: nn.Module, bundle: Bundle) -> None:
    """Write the TorchScript file of a neighbouring epoch, with this bundle's metadata."""
    image = torch.rand(bundle.contract.shape)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(broken(network, bundle, epoch), image, check_trace=False)
    write_torchscript(traced, path, metadata(description_of(bundle)))


def edit_epoch(format: str, path: Path) -> None:
    """Move the weights of a file's last ten convolutions by about 0.02 % of themselves."""
    generator = np.random.default_rng(0)

    def moved(weights: np.ndarray) -> np.ndarray:
        return weights * (1 + STEP * generator.standard_normal(weights.shape, np.float32))

    for index in range(-10, 0):
        EDITS[format](path, index, "weight", moved)
