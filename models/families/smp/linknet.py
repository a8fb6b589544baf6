"""Recognise smp's Linknet: blocks of 1×1, transposed and 1×1 convolutions, added to the skips.

Keys: `decoder.blocks.{i}.block.{0,1,2}.{0,1}`, `block.0.0.weight (in / 4, in, 1, 1)`.
Source: segmentation_models_pytorch/decoders/linknet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.blocks\.\d+\.block\."


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    first = keys.require_shape(shapes, "decoder.blocks.0.block.0.0.weight", 4, "Linknet")
    count = keys.count(shapes, MARK)
    return common.DecoderSpecification(
        query=EncoderQuery((count,), first[1]),
        arguments={"decoder_use_norm": keys.norm(shapes, "decoder.blocks.0.block.0.")},
    )


FAMILY = common.smp_family("Linknet", MARK, _read)
