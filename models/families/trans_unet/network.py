"""Recognise and build the hybrid TransUNet (Chen et al. 2021, arXiv:2102.04306).

The keys are those of its authors:

    transformer.embeddings.hybrid_model, transformer.encoder.layer, decoder.conv_more,
    decoder.blocks, segmentation_head

The decoder doubles the sides with bilinear interpolation, joins the ResNet's skips at 1/8, 1/4
and 1/2 as far as the channels of its blocks allow (n_skip), and convolves twice. Position
embeddings are learned for each patch, so one input size fits. Grey pictures were given to the
published network as three equal channels. It returns logits.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count, takewhile
from math import isqrt
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.families.family import Family
from models.families.trans_unet.hybrid_vit import GROUPS, NORM_EPS, EncoderPlan, HybridEncoder
from models.specification import Choices, Shapes, Specification

EMBEDDINGS = "transformer.embeddings"
LAYER = "transformer.encoder.layer"
HEAD_WIDTH = 64
PUBLISHED = "as published; shapes cannot tell it"


@dataclass(frozen=True)
class TransUnetPlan:
    """Hold the encoder, and the decoder's widths: `more`, then `widths` with `skips` beside."""

    encoder: EncoderPlan
    more: int
    widths: tuple[int, ...]
    skips: tuple[int, ...]
    classes: int


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the widths; None where the keys are others. The key accounting sees to the rest."""
    encoder = _encoder(shapes)
    more = shapes.get("decoder.conv_more.0.weight", ())
    head = shapes.get("segmentation_head.0.weight", ())
    blocks = _listed(shapes, "decoder.blocks.{}.conv1.0.weight", 0)
    if encoder is None or choices.padding == "valid" or not blocks:
        return None
    if any(len(shape) != 4 for shape in (more, head, *blocks)):
        return None
    widths = tuple(shape[0] for shape in blocks)
    above = (more[0], *widths[:-1])
    skips = tuple(shape[1] - inputs for shape, inputs in zip(blocks, above, strict=True))
    offered = (8 * encoder.width, 4 * encoder.width, encoder.width)
    used = sum(skip > 0 for skip in skips)
    if len(blocks) != 4 or skips != (*offered[:used], *(0,) * (4 - used)):
        return None
    return _specification(TransUnetPlan(encoder, more[0], widths, skips, head[0]))


def _encoder(shapes: Shapes) -> EncoderPlan | None:
    root = shapes.get(f"{EMBEDDINGS}.hybrid_model.root.conv.weight", ())
    patch = shapes.get(f"{EMBEDDINGS}.patch_embeddings.weight", ())
    positions = shapes.get(f"{EMBEDDINGS}.position_embeddings", ())
    mlp = _listed(shapes, LAYER + ".{}.ffn.fc1.weight", 0)
    unit = f"{EMBEDDINGS}.hybrid_model.body.block{{}}.unit{{}}.conv1.weight"
    units = tuple(len(_listed(shapes, unit.format(b, "{}"), 1)) for b in (1, 2, 3))
    if [len(shape) for shape in (root, patch, positions)] != [4, 4, 3] or not mlp or not all(units):
        return None
    hidden, grid = patch[0], isqrt(positions[1])
    # With patches of more than a pixel the output would be smaller than the input.
    if grid**2 != positions[1] or patch[2:] != (1, 1) or len(mlp[0]) != 2:
        return None
    if hidden % HEAD_WIDTH or root[0] % GROUPS:
        return None
    return EncoderPlan(
        inputs=root[1],
        width=root[0],
        units=units,
        hidden=hidden,
        heads=hidden // HEAD_WIDTH,
        mlp=mlp[0][0],
        layers=len(mlp),
        grid=grid,
    )


def _listed(shapes: Shapes, key: str, first: int) -> list[tuple[int, ...]]:
    """Return the shapes at `key` with `first`, `first` + 1, … in it, up to the first absent."""
    names = takewhile(shapes.__contains__, (key.format(number) for number in count(first)))
    return [shapes[name] for name in names]


def _specification(plan: TransUnetPlan) -> Specification:
    encoder = plan.encoder
    return Specification(
        family="TransUNet",
        architecture="",
        in_channels=encoder.inputs,
        classes=plan.classes,
        stride=encoder.side,
        arguments={
            "hidden": encoder.hidden,
            "heads": encoder.heads,
            "groups": GROUPS,
            "upsampling": "bilinear, corners aligned",
            "nonlinearity": "ReLU, GELU in the transformer",
            "norm_eps": NORM_EPS,
            "layers": asdict(plan),
        },
        assumed={
            "heads": f"one for {HEAD_WIDTH} channels, {PUBLISHED}",
            "groups": f"the ResNet's group norms are {PUBLISHED}",
            "upsampling": PUBLISHED,
            "nonlinearity": PUBLISHED,
            "norm_eps": f"that of group and layer norms is {PUBLISHED}",
        },
        fixed_size=(encoder.side, encoder.side),
    )


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    layers = cast(Mapping[str, Any], specification.arguments["layers"])
    encoder = EncoderPlan(**{**layers["encoder"], "units": tuple(layers["encoder"]["units"])})
    widths, skips = tuple(layers["widths"]), tuple(layers["skips"])
    return TransUnet(TransUnetPlan(encoder, layers["more"], widths, skips, layers["classes"]))


def _convolved(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class DecoderBlock(nn.Module):
    """Double the sides, join a skip of its width, convolve twice."""

    def __init__(self, inputs: int, outputs: int, skip: int):
        super().__init__()
        self.conv1 = _convolved(inputs + skip, outputs)
        self.conv2 = _convolved(outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Return `(N, outputs, 2 H, 2 W)`."""
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        if skip is not None:
            x = torch.cat((x, skip), dim=1)
        return self.conv2(self.conv1(x))  # type: ignore[no-any-return]


class TransUnetDecoder(nn.Module):
    """Turn the transformer's picture and the skips into `(N, widths[-1], S, S)`."""

    def __init__(self, plan: TransUnetPlan):
        super().__init__()
        self.used = sum(skip > 0 for skip in plan.skips)
        self.conv_more = _convolved(plan.encoder.hidden, plan.more)
        above = (plan.more, *plan.widths[:-1])
        self.blocks = nn.ModuleList(
            DecoderBlock(*widths) for widths in zip(above, plan.widths, plan.skips, strict=True)
        )

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Return the features that the head reads."""
        x = self.conv_more(x)
        for level, block in enumerate(self.blocks):
            x = block(x, skips[level] if level < self.used else None)
        return x


class TransUnet(nn.Module):
    """Turn pictures `(N, C, S, S)` into logits `(N, classes, S, S)`."""

    def __init__(self, plan: TransUnetPlan):
        super().__init__()
        self.transformer = HybridEncoder(plan.encoder)
        self.decoder = TransUnetDecoder(plan)
        self.segmentation_head = nn.Sequential(
            nn.Conv2d(plan.widths[-1], plan.classes, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`."""
        x, skips = self.transformer(x)
        return self.segmentation_head(self.decoder(x, skips))  # type: ignore[no-any-return]


FAMILY = Family(
    name="TransUNet",
    parts=(
        r"transformer\.(embeddings|encoder)\.",
        r"transformer\.embeddings\.hybrid_model\.",
        r"decoder\.(conv_more|blocks)\.",
        r"segmentation_head\.",
    ),
    recognise=recognise,
    build=build,
)
