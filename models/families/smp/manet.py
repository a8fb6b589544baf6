"""Recognise smp's MAnet: position-wise attention below, attention on each level's fusion.

Keys: `decoder.center.{top,center,bottom,out}_conv`, of which `top_conv.weight (pab, in, 1, 1)`;
`decoder.blocks.{i}.hl_conv`, `.SE_ll`, `.SE_hl` and `.conv{1,2}`.
Source: segmentation_models_pytorch/decoders/manet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.families.smp.unet import decoder_channels
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp MAnet"
MARK = r"decoder\.(center\.(top|center|bottom|out)_conv|blocks\.\d+\.(hl_conv|SE_[lh]l))\."
PARTS = (r"encoder\.", MARK, r"decoder\.blocks\.\d+\.conv\d\.", r"segmentation_head\.")


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the MAnet's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    top = keys.needed(shapes, "decoder.center.top_conv.weight", 4, "MAnet")
    keys.needed(shapes, "decoder.blocks.0.conv1.0.weight", 4, "MAnet")
    channels = decoder_channels(shapes)
    interpolation, assumed = keys.interpolation(choices)
    decoder = common.Decoder(
        architecture="MAnet",
        sought=Sought((len(channels),), top[1]),
        arguments={
            "decoder_channels": channels,
            "decoder_use_norm": keys.norm(shapes, "decoder.blocks.0.conv1."),
            "decoder_pab_channels": top[0],
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
    )
    return common.specify(decoder, shapes, choices)
