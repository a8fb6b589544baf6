"""Recognise the padded U-Net of double convolutions, in the names that tutorials made common.

Each level is two 3×3 convolutions with or without batch norm, and a ReLU after each. Sources
of the names: milesial/Pytorch-UNet (inc, down, up, outc), mateuszbuda's brain segmentation
(enc1conv1), jvanvugt/pytorch-unet (down_path), hanyoseob/pytorch-UNET (enc1_1, fc),
LeeJunHyun/Image_Segmentation (Conv1, Up_conv2), Persson's tutorial (downs, ups),
4uiiurz1/pytorch-nested-unet (conv0_0, conv3_1).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from torch import nn

from models.families.family import Family
from models.families.unet.key_templates import KeyTemplates, read_plan
from models.families.unet.plan import PlainUnet, plan_from
from models.families.unet.specify import specify
from models.specification import Choices, Shapes, Specification

ENCODERS = (("enc{n}",), ("encoder{n}",), ("down{n}",), ("enc_{n}",))
DECODERS = (("dec{n}",), ("decoder{n}",))
UPS = ("up{n}", "upconv{n}", "up_{n}", "up{n}.up")
HEADS = ("out", "final", "outc", "out_conv", "final_conv", "conv", "head", "conv_last")

CONV_UP = KeyTemplates(
    "Conv, Up, Up_conv, Conv_1x1",
    encoder=(("Conv{n}",),),
    up=("Up{above}",),
    decoder=(("Up_conv{above}",),),
    head=("Conv_1x1", "Conv"),
    skip_first=True,
    resize=("nearest", None),
)
TEMPLATES = (
    KeyTemplates(
        "enc, bottleneck, up, dec, out", ENCODERS, UPS, DECODERS, HEADS, bottom=(("bottleneck",),)
    ),
    KeyTemplates(
        "inc, down, up, outc",
        encoder=(("down{n}.maxpool_conv.1",), ("down{n}.mpconv.1",)),
        up=("up{k}.up",),
        decoder=(("up{k}.conv",),),
        head=("outc.conv", "outc"),
        first=0,
        top=("inc",),
        skip_first=True,
    ),
    KeyTemplates(
        "enc1_1, unpool, dec1_1, fc",
        encoder=(("enc{n}_1", "enc{n}_2"), ("encoder{n}_1", "encoder{n}_2")),
        bottom=(("enc{n}_1", "dec{n}_1"), ("encoder{n}_1", "decoder{n}_1")),
        up=("unpool{n}",),
        decoder=(("dec{n}_2", "dec{n}_1"), ("decoder{n}_2", "decoder{n}_1")),
        head=("fc",),
    ),
    KeyTemplates(
        "down_path, up_path, last",
        encoder=(("down_path.{n}",),),
        up=("up_path.{z}.up",),
        decoder=(("up_path.{z}.conv_block",),),
        head=("last",),
        first=0,
        resize=("bilinear", False),
    ),
    CONV_UP,
    KeyTemplates(
        "conv0_0, conv3_1, final",
        encoder=(("conv{n}_0",),),
        up=("up",),
        decoder=(("conv{n}_{k}",),),
        head=("final",),
        first=0,
        skip_first=True,
    ),
    KeyTemplates(
        "downs, bottleneck, ups, final_conv",
        encoder=(("downs.{n}",),),
        bottom=(("bottleneck",),),
        up=("ups.{even}",),
        decoder=(("ups.{odd}",),),
        head=("final_conv", "final"),
        first=0,
        skip_first=True,
    ),
)
OTHERS = ("Att2.", "conv0_1.")
"""Starts of keys that Attention U-Net and U-Net++ have beside those of a plain U-Net."""
WITH_SIGMOID = "encoder1.enc1conv1.weight"
"""A key of the brain segmentation U-Net, which was published with a sigmoid at its end."""


def recognise(shapes: Shapes, choices: Choices, padding: str = "same") -> Specification | None:
    """Read the plan by whichever templates fit; None where none do."""
    another = any(key.startswith(OTHERS) for key in shapes)
    if another or (choices.padding or "same") != padding:
        return None
    for templates in TEMPLATES:
        plan = read_plan(shapes, templates, choices, padding=1 if padding == "same" else 0)
        if plan is not None:
            family = "DoubleConv" if padding == "same" else "original"
            ended = replace(templates, name="encoder1.enc1conv1", sigmoid=True)
            return specify(plan, ended if WITH_SIGMOID in shapes else templates, family, choices)
    return None


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    return PlainUnet(plan_from(cast(Mapping[str, Any], specification.arguments["layers"])))


FAMILY = Family(
    name="DoubleConv U-Net",
    parts=(
        r"(enc|encoder|down|down_path|downs|Conv)_?(\d+[._]|[._]\d)|inc\.",
        r"(up|upconv|unpool|up_path|ups|Up|dec|decoder|Up_conv)_?(\d+[._]|[._]\d)|bottleneck",
        r"(out|outc|final|final_conv|conv|fc|last|Conv_1x1)\.",
    ),
    recognise=recognise,
    build=build,
)
