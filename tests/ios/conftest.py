"""A tiny bundle with both Core ML formats, made once for the tests of fixtures."""

import models.torchvision_shim  # noqa: F401 (mends what smp imports)

import logging
import warnings

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from PIL import Image
from rich.console import Console

from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages

logging.getLogger("coremltools").setLevel(logging.ERROR)
WIDTH, HEIGHT = 96, 64


@pytest.fixture(scope="session")
def device_bundle(tmp_path_factory):
    """Return the network and its bundle's folder: `tiny`, 3 classes, 96 × 64."""
    place = tmp_path_factory.mktemp("device")
    torch.manual_seed(3)
    network = smp.Unet(
        "resnet18", encoder_depth=3, encoder_weights=None, decoder_channels=(32, 16, 8), classes=3
    )
    network.eval().requires_grad_(False)
    torch.save(network.state_dict(), place / "tiny.pt")
    settings = Settings(
        size=(WIDTH, HEIGHT),
        formats=("mlprogram", "neuralnetwork"),
        labels=("background", "scratch", "긁힘"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
        _, folder = export(
            place / "tiny.pt",
            place / "build",
            settings,
            Stages(Console(quiet=True)),
            lambda bundle, _: bundle,
        )
    return network, folder


@pytest.fixture(scope="session")
def device_photos(tmp_path_factory):
    """Six pictures, the first two of one stem, the third no picture at all."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(4)
    for name in ("a.png", "a.webp", "c.png", "d.png", "e.png"):
        pixels = generator.integers(0, 256, (70, 110, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name, lossless=True)
    (folder / "b.jpg").write_text("not a picture")
    return folder
