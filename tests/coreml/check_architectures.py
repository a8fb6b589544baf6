"""Converts architectures and encoders of smp, runs the packages and compares with PyTorch.

    python tests/coreml/check_architectures.py [first] [last]

Prints, for FP32 and FP16, the largest error over the range of the logits and the PSNR.
"""

import gc
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import click
import numpy as np
import torch

logging.getLogger("coremltools").setLevel(logging.ERROR)

import models.torchvision_shim  # noqa: E402, F401 (smp imports torchvision)

import coremltools as ct  # noqa: E402 (its import logs a page of warnings off a Mac)

from models.errors import InputError  # noqa: E402
from validate import coreml  # noqa: E402

_RESNET = "resnet34"
_VIT = "tu-vit_base_patch16_224.augreg_in21k"
_ARCHITECTURES = (
    "Unet UnetPlusPlus MAnet Linknet FPN PSPNet DeepLabV3 DeepLabV3Plus PAN UPerNet Segformer"
).split()
_ENCODERS = (
    "mobilenet_v2 efficientnet-b0 mit_b0 timm-mobilenetv3_small_100 tu-convnext_atto "
    "tu-mobilenetv4_conv_small mobileone_s0 resnext50_32x4d densenet121 se_resnet50 "
    "timm-regnetx_002 xception inceptionv4 dpn68 vgg16_bn tu-fastvit_t8 tu-mobilevitv2_050"
).split()
PAIRS = (
    *((architecture, _RESNET) for architecture in _ARCHITECTURES),
    ("DPT", _VIT),
    *(("Unet", encoder) for encoder in _ENCODERS),
    ("FPN", "mobilenet_v2"),
    ("DeepLabV3Plus", "mobilenet_v2"),
    ("UnetPlusPlus", "efficientnet-b0"),
    ("Segformer", "mit_b0"),
)


def build(architecture, encoder, size):
    """Return an untrained network whose batch norms know the statistics of its inputs."""
    import segmentation_models_pytorch as smp

    torch.manual_seed(0)
    options = {"dynamic_img_size": False} if encoder == _VIT else {}
    make = getattr(smp, architecture)
    network = make(encoder, encoder_weights=None, classes=3, **options).train()
    with torch.no_grad():
        for _ in range(2):
            network(torch.rand(2, 3, size, size))
    return network.eval()


def compare(architecture, encoder):
    """Yield, for each precision, the largest error over the range and the PSNR in dB."""
    size = 224 if encoder == _VIT else 128
    network = build(architecture, encoder, size)
    x = torch.rand(1, 3, size, size)
    with torch.no_grad():
        reference = network(x).numpy()
        traced = torch.jit.trace(network, x, check_trace=False)
    for precision in (ct.precision.FLOAT32, ct.precision.FLOAT16):
        values = run(traced, x, precision)
        error = np.abs(values - reference).astype(np.float64)
        span = np.ptp(reference)
        yield error.max() / span, 20 * np.log10(span / np.sqrt((error**2).mean()))


def run(traced, x, precision):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.mlpackage"
        model = ct.convert(
            traced,
            convert_to="mlprogram",
            compute_precision=precision,
            minimum_deployment_target=ct.target.iOS15,
            skip_model_load=True,
            inputs=[ct.TensorType("x", tuple(x.shape))],
        )
        model.save(str(path))
        (values,) = coreml.load(path).predict({"x": x}).values()
    return values


def main(pairs):
    warnings.simplefilter("ignore")  # timm, torch and coremltools warn while they trace
    failed = 0
    for architecture, encoder in pairs:
        try:
            (error32, psnr32), (error16, psnr16) = compare(architecture, encoder)
        except InputError as error:
            click.echo(f"{architecture} {encoder}: {error}")
            failed += 1
            continue
        healthy = error32 < 1e-4 and psnr16 >= 45
        failed += not healthy
        click.echo(
            f"{architecture} {encoder}: FP32 {error32:.1e} of the range, {psnr32:.0f} dB; "
            f"FP16 {error16:.1e}, {psnr16:.1f} dB{'' if healthy else ' BELOW TOLERANCE'}"
        )
        gc.collect()
    return failed


if __name__ == "__main__":
    torch.set_num_threads(min(2, torch.get_num_threads()))
    sys.exit(main(PAIRS[slice(*map(int, sys.argv[1:3]))] if sys.argv[1:] else PAIRS) > 0)
