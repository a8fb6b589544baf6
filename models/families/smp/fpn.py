"""Recognise smp's FPN: the last four features as a pyramid, merged by a sum or a concatenation.

Keys: `decoder.p5.weight (pyramid, in, 1, 1)`, `decoder.p{4,3,2}.skip_conv`,
`decoder.seg_blocks.{i}.block.{j}.block.0.weight (segmentation, in, 3, 3)`. The head takes four
times the segmentation channels where they are concatenated.
Source: segmentation_models_pytorch/decoders/fpn; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.(p[2-5]|seg_blocks)\."


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification:
    pyramid, deepest = keys.require_shape(shapes, "decoder.p5.weight", 4, "FPN")[:2]
    block = keys.require_shape(shapes, "decoder.seg_blocks.0.block.0.block.0.weight", 4, "FPN")
    concatenated = keys.require_shape(shapes, common.HEAD, 4, "FPN")[1] == 4 * block[0]
    interpolation, assumed = keys.interpolation(choices)
    return common.DecoderSpecification(
        query=EncoderQuery((5, 4, 3), deepest),
        arguments={
            "decoder_pyramid_channels": pyramid,
            "decoder_segmentation_channels": block[0],
            "decoder_merge_policy": "cat" if concatenated else "add",
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
        upsampling={5: 4, 4: 2, 3: 1},
    )


FAMILY = common.smp_family("FPN", MARK, _read)
