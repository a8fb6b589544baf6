"""Small networks that behave like trained ones, and where the tests' inputs lie."""

import models.torchvision_shim  # noqa: F401

from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from torch import nn

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
