"""Recognise smp's Segformer: one linear layer for each feature, joined by a 1×1 convolution.

Keys: `decoder.mlp_stage.{i}.linear.weight (channels, in)` from the last feature up, and
`decoder.fuse_stage`. Encoders that skip the half resolution have one stage less than depth.
Source: segmentation_models_pytorch/decoders/segformer; the same keys from 0.4.0 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.(mlp_stage|fuse_stage)\."


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    linear = keys.require_shape(shapes, "decoder.mlp_stage.0.linear.weight", 2, "Segformer")
    count = keys.count(shapes, r"decoder\.mlp_stage\.\d+\.")
    return common.DecoderSpecification(
        query=EncoderQuery((count, count + 1), linear[1]),
        arguments={"decoder_segmentation_channels": linear[0]},
    )


FAMILY = common.smp_family("Segformer", MARK, _read)
