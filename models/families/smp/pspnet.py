"""Recognise smp's PSPNet, which pools an encoder's last feature to 1, 2, 3 and 6 cells.

Keys: `decoder.psp.blocks.{i}.pool.1.0.weight (in / 4, in, 1, 1)`, and
`decoder.conv.0.weight (out, 2 in, 1, 1)`. Its encoder has a depth of 3 unless told otherwise.
Source: segmentation_models_pytorch/decoders/pspnet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.psp\.blocks\.\d+\.pool\."


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    pooled = keys.require_shape(shapes, "decoder.psp.blocks.0.pool.1.0.weight", 4, "PSPNet")
    return common.DecoderSpecification(
        query=EncoderQuery((3, 4, 5), pooled[1]),
        arguments={
            "psp_out_channels": keys.require_shape(shapes, "decoder.conv.0.weight", 4, "PSPNet")[0],
            "decoder_use_norm": keys.norm(shapes, "decoder.conv."),
        },
        upsampling={3: 8, 4: 16, 5: 32},
    )


FAMILY = common.smp_family("PSPNet", MARK, _read, (r"decoder\.conv\.",))
