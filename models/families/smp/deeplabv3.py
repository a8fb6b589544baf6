"""Recognise smp's DeepLabV3: atrous spatial pyramid pooling of a dilated encoder's last feature.

Keys: `decoder.aspp.convs.{i}.…` and `decoder.aspp.project`, `decoder.conv`, `decoder.bn`, which
smp before 0.4 called `decoder.0`, `decoder.1` and `decoder.2`. Dilations leave no trace in
shapes: smp's own are taken, for an output stride of 8.
Source: segmentation_models_pytorch/decoders/deeplabv3.
"""

from collections.abc import Iterable

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp DeepLabV3"
MARK = r"decoder\.(0|aspp)\.(convs|project)\."
PARTS = (r"encoder\.", MARK, r"decoder\.(1|2|conv|bn)\.", r"segmentation_head\.")
FORMERLY = {"0": "aspp", "1": "conv", "2": "bn"}
STRIDE = 8


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the DeepLabV3's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    aspp = "aspp" if any(key.startswith("decoder.aspp.") for key in shapes) else "0"
    return common.specify(atrous("DeepLabV3", aspp, STRIDE, shapes), shapes, choices)


def atrous(architecture: str, aspp: str, stride: int, shapes: Shapes) -> common.Decoder:
    """Read a decoder with atrous spatial pyramid pooling, whose keys start with `decoder.{aspp}.`.

    Raises InputError where its first convolution is missing.
    """
    first = keys.needed(shapes, f"decoder.{aspp}.convs.0.0.weight", 4, architecture)
    return common.Decoder(
        architecture=architecture,
        sought=Sought((5, 4, 3), first[1]),
        arguments={
            "decoder_channels": first[0],
            "decoder_aspp_separable": f"decoder.{aspp}.convs.1.0.0.weight" in shapes,
            "encoder_output_stride": stride,
            "decoder_atrous_rates": (12, 24, 36),
        },
        assumed=dict.fromkeys(("encoder_output_stride", "decoder_atrous_rates"), keys.UNSEEN),
        output_stride=stride,
    )


def renamed(keys: Iterable[str], specification: Specification) -> dict[str, str]:
    """Return network key → checkpoint key, for smp before 0.4 and for its timm encoders."""
    listed = list(keys)
    renames = dict(common.renamed(listed, specification))
    for key in listed:
        part, _, rest = key.removeprefix("decoder.").partition(".")
        if key.startswith("decoder.") and part in FORMERLY:
            renames[f"decoder.{FORMERLY[part]}.{rest}"] = key
    return renames
