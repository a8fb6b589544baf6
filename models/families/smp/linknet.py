"""Recognise smp's Linknet: blocks of 1×1, transposed and 1×1 convolutions, added to the skips.

Keys: `decoder.blocks.{i}.block.{0,1,2}.{0,1}`, `block.0.0.weight (in / 4, in, 1, 1)`.
Source: segmentation_models_pytorch/decoders/linknet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp Linknet"
MARK = r"decoder\.blocks\.\d+\.block\."
PARTS = (r"encoder\.", MARK, r"segmentation_head\.")


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the Linknet's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    first = keys.needed(shapes, "decoder.blocks.0.block.0.0.weight", 4, "Linknet")
    count = keys.count(shapes, MARK)
    decoder = common.Decoder(
        architecture="Linknet",
        sought=Sought((count,), first[1]),
        arguments={"decoder_use_norm": keys.norm(shapes, "decoder.blocks.0.block.0.")},
    )
    return common.specify(decoder, shapes, choices)
