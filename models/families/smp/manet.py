"""Recognise smp's MAnet: position-wise attention below, attention on each level's fusion.

Keys: `decoder.center.{top,center,bottom,out}_conv`, of which `top_conv.weight (pab, in, 1, 1)`;
`decoder.blocks.{i}.hl_conv`, `.SE_ll`, `.SE_hl` and `.conv{1,2}`.
Source: segmentation_models_pytorch/decoders/manet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.families.smp.unet import decoder_channels
from models.specification import Choices, Shapes

MARK = r"decoder\.(center\.(top|center|bottom|out)_conv|blocks\.\d+\.(hl_conv|SE_[lh]l))\."


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification:
    top = keys.require_shape(shapes, "decoder.center.top_conv.weight", 4, "MAnet")
    keys.require_shape(shapes, "decoder.blocks.0.conv1.0.weight", 4, "MAnet")
    channels = decoder_channels(shapes)
    interpolation, assumed = keys.interpolation(choices)
    return common.DecoderSpecification(
        query=EncoderQuery((len(channels),), top[1]),
        arguments={
            "decoder_channels": channels,
            "decoder_use_norm": keys.norm(shapes, "decoder.blocks.0.conv1."),
            "decoder_pab_channels": top[0],
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
    )


FAMILY = common.smp_family("MAnet", MARK, _read, (r"decoder\.blocks\.\d+\.conv\d\.",))
