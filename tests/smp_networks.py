"""Seeded networks of all of smp's architectures, small, and behaving like trained ones."""

import models.torchvision_shim  # noqa: F401

import warnings

import segmentation_models_pytorch as smp
import torch
from torch import nn

from models.meta_device import built

ARCHITECTURES = (
    "Unet UnetPlusPlus MAnet Linknet FPN PSPNet DeepLabV3 DeepLabV3Plus PAN UPerNet Segformer DPT"
).split()
VIT = "tu-vit_tiny_patch16_224"
SLIM = (32, 24, 16, 12, 8)
# Decoders narrow enough for tests, with arguments that differ from smp's own.
NARROW: dict[str, dict[str, object]] = {
    "Unet": {"decoder_channels": SLIM},
    "UnetPlusPlus": {"decoder_channels": SLIM},
    "MAnet": {"decoder_channels": SLIM, "decoder_pab_channels": 12},
    "FPN": {"decoder_pyramid_channels": 48, "decoder_segmentation_channels": 32},
    "PSPNet": {"psp_out_channels": 40},
    "DeepLabV3": {"decoder_channels": 24},
    "DeepLabV3Plus": {"decoder_channels": 24},
    "PAN": {"decoder_channels": 20},
    "UPerNet": {"decoder_channels": 24},
    "Segformer": {"decoder_segmentation_channels": 24},
    "DPT": {"decoder_intermediate_channels": (16, 24, 32, 32), "decoder_fusion_channels": 24},
}


def network(architecture: str, encoder: str | None = None, **arguments: object) -> nn.Module:
    """An untrained network of smp, made by its own class; on the default device."""
    name = encoder or (VIT if architecture == "DPT" else "resnet18")
    arguments = {"classes": 2, **NARROW.get(architecture, {}), **arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(smp, architecture)(name, encoder_weights=None, **arguments)


def shapes(
    architecture: str, encoder: str | None = None, **arguments: object
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of its tensors."""
    made = built(lambda: network(architecture, encoder, **arguments))
    return {key: tuple(tensor.shape) for key, tensor in made.state_dict().items()}


def calibrated(
    architecture: str, encoder: str | None = None, side: int = 64, **arguments: object
) -> nn.Module:
    """The network, seeded, its batch norms measured and its logits spread as after training."""
    torch.manual_seed(7)
    made = network(architecture, encoder, **arguments)
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2)
                module.bias.uniform_(-0.1, 0.1)
        made.train()
        for _ in range(2):
            made(torch.rand(2, 3, side, side))
        made.eval()
        spread = made(torch.rand(2, 3, side, side)).std(dim=(0, 2, 3)).clamp_min(1e-6)
        head = [m for m in made.segmentation_head.modules() if isinstance(m, nn.Conv2d)][-1]
        head.weight.mul_((4 / spread)[:, None, None, None])
        head.bias.uniform_(-0.5, 0.5)
    return made
