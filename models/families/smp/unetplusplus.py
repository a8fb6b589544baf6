"""Recognise smp's UnetPlusPlus: nested blocks `x_{depth}_{layer}` between encoder and head.

Keys: `decoder.blocks.x_{i}_{j}.conv{1,2}.0.weight (out, in, 3, 3)`, of which `x_0_{j}` give the
decoder's channels; attention and `decoder.center` as in smp's Unet.
Source: segmentation_models_pytorch/decoders/unetplusplus; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.families.smp.unet import of_blocks
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp UnetPlusPlus"
MARK = r"decoder\.blocks\.x_\d_\d\."
PARTS = (r"encoder\.", MARK, r"segmentation_head\.")
LAYER = r"decoder\.blocks\.x_0_\d\.conv1\.0\.weight$"


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the UnetPlusPlus's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    channels = _decoder_channels(shapes)
    first = "decoder.blocks.x_0_0.conv1."
    decoder = of_blocks("UnetPlusPlus", channels, first, shapes, choices)
    return common.specify(decoder, shapes, choices)


def _decoder_channels(shapes: Shapes) -> tuple[int, ...]:
    count = keys.count(shapes, LAYER)
    firsts = [f"decoder.blocks.x_0_{layer}.conv1.0.weight" for layer in range(max(count, 1))]
    return tuple(keys.needed(shapes, key, 4, "UnetPlusPlus")[0] for key in firsts)
