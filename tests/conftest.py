"""Share fixtures between the tests of several packages."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_networks import SHARED, calibrated_unet
from torch import Tensor, nn


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
def car_photos() -> Path:
    """The folder of real photos beside the clone, where it is there."""
    folder = SHARED / "photos"
    if not folder.is_dir():
        pytest.skip(f"the photos are not here: {folder}")
    return folder
