"""Recognise smp's PAN: feature pyramid attention below, and global attention on the way up.

Keys: `decoder.fpa.mid.0.conv.weight (channels, in, 1, 1)`, `decoder.gau{1,2,3}`, of which the
last tells the depth. Dilations leave no trace in shapes: smp's own are taken, for an output
stride of 16. Source: segmentation_models_pytorch/decoders/pan; the same from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.(fpa|gau[123])\."
STRIDE = 16


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification:
    middle = keys.require_shape(shapes, "decoder.fpa.mid.0.conv.weight", 4, "PAN")
    interpolation, assumed = keys.interpolation(choices, "bilinear")
    return common.DecoderSpecification(
        query=EncoderQuery((_depth(shapes),), middle[1]),
        arguments={
            "decoder_channels": middle[0],
            "decoder_interpolation": interpolation,
            "encoder_output_stride": STRIDE,
        },
        assumed={**assumed, "encoder_output_stride": keys.UNSEEN},
        output_stride=STRIDE,
    )


def _depth(shapes: Shapes) -> int:
    gates = [gate for gate in (1, 2, 3) if keys.is_marked(shapes, rf"decoder\.gau{gate}\.")]
    return 2 + max(gates, default=1)


FAMILY = common.smp_family("PAN", MARK, _read)
