"""A tiny network, its checkpoint and its bundle in every format, made once for all tests."""

import models.torchvision_shim  # noqa: F401 (mends what smp imports)

import logging
import warnings

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from PIL import Image
from rich.console import Console
from torch import nn

from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages

logging.getLogger("coremltools").setLevel(logging.ERROR)
SIZE = 64


@pytest.fixture(scope="session")
def make_network():
    """Return a function that builds an untrained network with calibrated batch norms."""

    def make(classes=2, seed=0, encoder="resnet18"):
        torch.manual_seed(seed)
        network = smp.Unet(
            encoder,
            encoder_depth=3,
            encoder_weights=None,
            decoder_channels=(32, 16, 8),
            classes=classes,
        )
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = None  # running statistics become those of the next pictures
        with torch.no_grad():
            network.train()(torch.rand(4, 3, SIZE, SIZE))
        return network.eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def export_bundle(tmp_path_factory, make_network):
    """Return a function that exports a tiny network: (network, folder of its bundle)."""

    def make(formats, classes=2):
        place = tmp_path_factory.mktemp("bundle")
        network = make_network(classes)
        torch.save(network.state_dict(), place / "tiny.pt")
        settings = Settings(size=(SIZE, SIZE), formats=formats)
        stages = Stages(Console(quiet=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
            _, folder = export(
                place / "tiny.pt", place / "build", settings, stages, lambda bundle, _: bundle
            )
        return network, folder

    return make


@pytest.fixture(scope="session")
def tiny(export_bundle):
    """Every format of one network with two classes."""
    return export_bundle(("torchscript", "mlprogram", "neuralnetwork", "onnx"))


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Three pictures of different sizes: smooth, noisy and black."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 90, dtype=np.uint8)
    smooth = np.stack([np.tile(ramp, (70, 1)), np.tile(ramp[::-1], (70, 1))], axis=-1)
    smooth = np.concatenate([smooth, smooth[::-1, :, :1]], axis=-1)
    Image.fromarray(smooth).save(folder / "a_smooth.png")
    noise = rng.integers(0, 256, (120, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "b_noise.png")
    Image.fromarray(np.zeros((SIZE, SIZE, 3), np.uint8)).save(folder / "c_black.png")
    return folder
