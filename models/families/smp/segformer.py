"""Recognise smp's Segformer: one linear layer for each feature, joined by a 1×1 convolution.

Keys: `decoder.mlp_stage.{i}.linear.weight (channels, in)` from the last feature up, and
`decoder.fuse_stage`. Encoders that skip the half resolution have one stage less than depth.
Source: segmentation_models_pytorch/decoders/segformer; the same keys from 0.4.0 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp Segformer"
MARK = r"decoder\.(mlp_stage|fuse_stage)\."
PARTS = (r"encoder\.", MARK, r"segmentation_head\.")


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the Segformer's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    linear = keys.needed(shapes, "decoder.mlp_stage.0.linear.weight", 2, "Segformer")
    count = keys.count(shapes, r"decoder\.mlp_stage\.\d+\.")
    decoder = common.Decoder(
        architecture="Segformer",
        sought=Sought((count, count + 1), linear[1]),
        arguments={"decoder_segmentation_channels": linear[0]},
    )
    return common.specify(decoder, shapes, choices)
