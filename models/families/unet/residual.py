"""Recognise ResUNet (Zhang et al. 2018, arXiv:1711.10684) with the names of rishikksh20/ResUnet.

    input_layer, input_skip, residual_conv_1, residual_conv_2, bridge, upsample_1 … 3,
    up_residual_conv1 … 3, output_layer

A residual unit is norm, ReLU, convolution (of stride 2 on the way down), norm, ReLU,
convolution, added to a 3×3 convolution and norm of its input. The published forward ends in a
sigmoid, which is recorded as the activation; the logits before it are what is exported.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from models.families.family import Family
from models.families.unet.units import DEFAULT, PUBLISHED
from models.specification import Choices, Shapes, Specification


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the widths; None where the keys are others. The key accounting sees to the rest."""
    firsts = (
        "input_layer.0.weight",
        "residual_conv_1.conv_block.2.weight",
        "residual_conv_2.conv_block.2.weight",
        "bridge.conv_block.2.weight",
        "output_layer.0.weight",
    )
    found = [shapes.get(key, ()) for key in firsts]
    if choices.padding == "valid" or any(len(shape) != 4 for shape in found):
        return None
    widths = tuple(shape[0] for shape in found[:4])
    return Specification(
        family="ResUNet",
        architecture="",
        in_channels=found[0][1],
        classes=found[4][0],
        stride=8,
        arguments={"widths": widths, "strides": 2, "nonlinearity": "ReLU", "norm_eps": 1e-5},
        assumed={
            "strides": PUBLISHED,
            "nonlinearity": PUBLISHED,
            "norm_eps": DEFAULT,
        },
        activation="sigmoid",
    )


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    widths = cast(Iterable[int], specification.arguments["widths"])
    return ResUnet(specification.in_channels, specification.classes, tuple(widths))


class ResidualUnit(nn.Module):
    """Add two pre-activated convolutions to one of the input; halve the sides at stride 2."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.conv_skip = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, outputs, H / stride, W / stride)`."""
        return self.conv_block(x) + self.conv_skip(x)  # type: ignore[no-any-return]


def _up_conv(width: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(upsample=nn.ConvTranspose2d(width, width, 2, stride=2)))


class ResUnet(nn.Module):
    """Turn `(N, C, H, W)`, sides multiples of 8, into logits `(N, classes, H, W)`."""

    def __init__(self, inputs: int, classes: int, widths: tuple[int, ...]):
        super().__init__()
        top, second, third, deepest = widths
        self.input_layer = nn.Sequential(
            nn.Conv2d(inputs, top, 3, padding=1),
            nn.BatchNorm2d(top),
            nn.ReLU(),
            nn.Conv2d(top, top, 3, padding=1),
        )
        self.input_skip = nn.Sequential(nn.Conv2d(inputs, top, 3, padding=1))
        self.residual_conv_1 = ResidualUnit(top, second, 2)
        self.residual_conv_2 = ResidualUnit(second, third, 2)
        self.bridge = ResidualUnit(third, deepest, 2)
        self.upsample_1, self.upsample_2, self.upsample_3 = (
            _up_conv(deepest),
            _up_conv(third),
            _up_conv(second),
        )
        self.up_residual_conv1 = ResidualUnit(deepest + third, third, 1)
        self.up_residual_conv2 = ResidualUnit(third + second, second, 1)
        self.up_residual_conv3 = ResidualUnit(second + top, top, 1)
        self.output_layer = nn.Sequential(nn.Conv2d(top, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`."""
        top = self.input_layer(x) + self.input_skip(x)
        second = self.residual_conv_1(top)
        third = self.residual_conv_2(second)
        x = self.upsample_1(self.bridge(third))
        x = self.upsample_2(self.up_residual_conv1(torch.cat((x, third), dim=1)))
        x = self.upsample_3(self.up_residual_conv2(torch.cat((x, second), dim=1)))
        return self.output_layer(self.up_residual_conv3(torch.cat((x, top), dim=1)))  # type: ignore[no-any-return]


FAMILY = Family(
    name="ResUNet",
    parts=(
        r"input_(layer|skip)\.",
        r"residual_conv_\d\.",
        r"bridge\.",
        r"upsample_\d\.",
        r"up_residual_conv\d\.",
        r"output_layer\.",
    ),
    recognise=recognise,
    build=build,
)
