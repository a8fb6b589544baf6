"""Recognise smp's DeepLabV3: atrous spatial pyramid pooling of a dilated encoder's last feature.

Keys: `decoder.aspp.convs.{i}.…` and `decoder.aspp.project`, `decoder.conv`, `decoder.bn`, which
smp before 0.4 called `decoder.0`, `decoder.1` and `decoder.2`. Dilations leave no trace in
shapes: smp's own are taken, for an output stride of 8.
Source: segmentation_models_pytorch/decoders/deeplabv3.
"""

from collections.abc import Iterable

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes, Specification

MARK = r"decoder\.(0|aspp)\.(convs|project)\."
FORMERLY = {"0": "aspp", "1": "conv", "2": "bn"}
STRIDE = 8


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    aspp = "aspp" if any(key.startswith("decoder.aspp.") for key in shapes) else "0"
    return atrous("DeepLabV3", aspp, STRIDE, shapes)


def atrous(
    architecture: str, aspp: str, stride: int, shapes: Shapes
) -> common.DecoderSpecification:
    """Read a decoder with atrous spatial pyramid pooling, whose keys start with `decoder.{aspp}.`.

    Raises InputError where its first convolution is missing.
    """
    first = keys.require_shape(shapes, f"decoder.{aspp}.convs.0.0.weight", 4, architecture)
    return common.DecoderSpecification(
        query=EncoderQuery((5, 4, 3), first[1]),
        arguments={
            "decoder_channels": first[0],
            "decoder_aspp_separable": f"decoder.{aspp}.convs.1.0.0.weight" in shapes,
            "encoder_output_stride": stride,
            "decoder_atrous_rates": (12, 24, 36),
        },
        assumed=dict.fromkeys(("encoder_output_stride", "decoder_atrous_rates"), keys.UNSEEN),
        output_stride=stride,
    )


def _renamed(keys: Iterable[str], specification: Specification) -> dict[str, str]:
    """Return network key → checkpoint key, for smp before 0.4 and for its timm encoders."""
    listed = list(keys)
    renames = dict(common.renamed(listed, specification))
    for key in listed:
        part, _, rest = key.removeprefix("decoder.").partition(".")
        if key.startswith("decoder.") and part in FORMERLY:
            renames[f"decoder.{FORMERLY[part]}.{rest}"] = key
    return renames


FAMILY = common.smp_family(
    "DeepLabV3", MARK, _read, (r"decoder\.(1|2|conv|bn)\.",), renamed=_renamed
)
