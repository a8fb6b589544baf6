"""Recognise smp's UnetPlusPlus: nested blocks `x_{depth}_{layer}` between encoder and head.

Keys: `decoder.blocks.x_{i}_{j}.conv{1,2}.0.weight (out, in, 3, 3)`, of which `x_0_{j}` give the
decoder's channels; attention and `decoder.center` as in smp's Unet.
Source: segmentation_models_pytorch/decoders/unetplusplus; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.smp import common, keys
from models.families.smp.unet import of_blocks
from models.specification import Choices, Shapes

MARK = r"decoder\.blocks\.x_\d_\d\."
LAYER = r"decoder\.blocks\.x_0_\d\.conv1\.0\.weight$"


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification:
    count = keys.count(shapes, LAYER)
    firsts = [f"decoder.blocks.x_0_{layer}.conv1.0.weight" for layer in range(max(count, 1))]
    channels = tuple(keys.require_shape(shapes, key, 4, "UnetPlusPlus")[0] for key in firsts)
    return of_blocks(channels, "decoder.blocks.x_0_0.conv1.", shapes, choices)


FAMILY = common.smp_family("UnetPlusPlus", MARK, _read)
