"""What tests of several packages share: a small network that behaves like a trained one."""

import models.torchvision_shim  # noqa: F401

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SLIM = (32, 24, 16, 12, 8)


def calibrated_unet(encoder: str = "resnet18", classes: int = 2, **arguments: object) -> nn.Module:
    """A slim smp Unet, seeded, whose batch norms and head are not as initialised.

    Statistics come from a few passes over noise, and the head is scaled up, so that margins
    between classes are wide, as they are after training.
    """
    torch.manual_seed(7)
    arguments = {"decoder_channels": SLIM, **arguments}
    network = smp.Unet(encoder, encoder_weights=None, classes=classes, **arguments)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2)
                module.bias.uniform_(-0.1, 0.1)
        network.train()
        for _ in range(4):
            network(torch.rand(4, network.encoder._in_channels, 64, 64))
        network.segmentation_head[0].weight.mul_(20)
        network.segmentation_head[0].bias.uniform_(-0.5, 0.5)
    return network.eval()


@pytest.fixture(scope="session")
def unet() -> nn.Module:
    """The slim ResNet18 Unet with two classes; not to be changed."""
    return calibrated_unet()


@pytest.fixture
def state_dict(unet: nn.Module) -> dict[str, Tensor]:
    """Its state dict, a copy of the test's own."""
    return copy.deepcopy(unet.state_dict())


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Save anything with torch.save under a name in the test's folder."""

    def save(value: object, name: str = "breakage.pt", **options: object) -> Path:
        path = tmp_path / name
        torch.save(value, path, **options)
        return path

    return save


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos beside the clone, where it is there."""
    folder = SHARED / "photos"
    if not folder.is_dir():
        pytest.skip(f"the photos are not here: {folder}")
    return folder
