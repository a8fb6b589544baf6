"""One healthy bundle in every format, another network's, and copies to break."""

import warnings
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from small_networks import ROOT, calibrated_unet, open_gate

from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages
from models.specification import Choices

FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")


def exported(
    place: Path, network: torch.nn.Module, formats: tuple[str, ...] = FORMATS, **settings: object
) -> Path:
    """The folder of a bundle of `network` in every format, 64 × 64 unless `settings` differ."""
    torch.save(network.state_dict(), place / "tiny.pt")
    chosen = Settings(**{"size": (64, 64), "formats": formats, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
        stages = Stages(Console(quiet=True))
        _, folder = export(place / "tiny.pt", place / "build", chosen, stages, open_gate)
    return folder


@pytest.fixture(scope="session")
def export_network():
    """Return the function that exports without judging."""
    return exported


@pytest.fixture(scope="session")
def healthy(tmp_path_factory):
    """A network, and the folder of its bundle."""
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))
    return network, exported(tmp_path_factory.mktemp("healthy"), network)


@pytest.fixture(scope="session")
def independent(tmp_path_factory):
    """A network of three independent channels, one of 1/200 of the weights, and its bundle."""
    network = calibrated_unet(classes=3, encoder_depth=3, decoder_channels=(24, 16, 8))
    with torch.no_grad():
        for tensor in (network.segmentation_head[0].weight, network.segmentation_head[0].bias):
            tensor[2].div_(200)
    place = tmp_path_factory.mktemp("independent")
    return network, exported(place, network, choices=Choices(activation="sigmoid"))


@pytest.fixture(scope="session")
def another(tmp_path_factory, healthy):
    """The folder of a bundle of another network of the same shape."""
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.9)
    return exported(tmp_path_factory.mktemp("another"), network)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Two of the samples, shrunk, so that a run takes no time."""
    folder = tmp_path_factory.mktemp("pictures")
    for path in sorted((ROOT / "samples").glob("*.jpg"))[:2]:
        Image.open(path).resize((96, 80)).save(folder / f"{path.stem}.png")
    return folder
