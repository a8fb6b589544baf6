"""Whole networks: the saved package against the PyTorch network it was converted from."""

import models.torchvision_shim  # noqa: F401 (smp imports torchvision)

import gc
import warnings

import coremltools as ct
import numpy as np
import pytest
import torch
from PIL import Image

from validate import coreml


def calibrated_unet(size, encoder="resnet18"):
    """An untrained U-Net whose batch norms know the statistics of its inputs."""
    import segmentation_models_pytorch as smp

    torch.manual_seed(0)
    network = smp.Unet(encoder, encoder_weights=None, classes=3).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, size, size))
    return network.eval()


def save(network, size, path, precision):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coremltools and torch warn while tracing
        traced = torch.jit.trace(network, torch.rand(1, 3, size, size))
        image = ct.ImageType(
            name="image", shape=(1, 3, size, size), scale=1 / 255, color_layout=ct.colorlayout.RGB
        )
        model = ct.convert(
            traced,
            convert_to="mlprogram",
            compute_precision=precision,
            minimum_deployment_target=ct.target.iOS15,
            skip_model_load=True,
            inputs=[image],
        )
        model.save(str(path))
        del model
        gc.collect()


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """Network, pixels, reference logits and the two packages."""
    size = 64
    network = calibrated_unet(size)
    folder = tmp_path_factory.mktemp("unet")
    save(network, size, folder / "fp32.mlpackage", ct.precision.FLOAT32)
    save(network, size, folder / "fp16.mlpackage", ct.precision.FLOAT16)
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    with torch.no_grad():
        logits = network(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255).numpy()
    return pixels, logits, folder


def predict(folder, name, pixels, **options):
    model = coreml.load(folder / f"{name}.mlpackage", **options)
    (logits,) = model.predict({"image": Image.fromarray(pixels)}).values()
    return logits


def psnr(reference, values):
    error = np.sqrt(np.mean((reference.astype(np.float64) - values) ** 2))
    return 20 * np.log10(np.ptp(reference) / error)


def test_fp32_unet_agrees_within_a_ten_thousandth_of_the_range(unet):
    pixels, reference, folder = unet
    logits = predict(folder, "fp32", pixels)
    assert np.abs(logits - reference).max() < 1e-4 * np.ptp(reference)


@pytest.mark.parametrize("arithmetic", ["as_stored", "float32"])
def test_fp16_unet_agrees_as_far_as_fp16_reaches(unet, arithmetic):
    pixels, reference, folder = unet
    assert psnr(reference, predict(folder, "fp16", pixels, arithmetic=arithmetic)) > 45


def test_watching_a_unet_shows_its_values_in_order_and_its_result(unet):
    pixels, _, folder = unet
    model = coreml.load(folder / "fp16.mlpackage")
    kinds = []
    image = {"image": Image.fromarray(pixels)}
    watched = model.run(image, watch=lambda value: kinds.append((value.op_type, value.dtype)))
    (first,), (second,) = watched.values(), model.predict(image).values()
    np.testing.assert_allclose(first, second, atol=0.02 * np.ptp(second))
    assert kinds.count(("conv", "fp16")) == 31
    assert kinds.count(("relu", "fp16")) == 27
    assert ("upsample_nearest_neighbor", "fp16") in kinds
