"""Recognise smp's DeepLabV3Plus: DeepLabV3's pyramid joined with a feature of high resolution.

Keys: `decoder.aspp.0.convs.{i}.…`, `decoder.aspp.1`, `decoder.block1.0.weight (48, in, 1, 1)`,
`decoder.block2`. Dilations leave no trace in shapes: smp's own are taken, for an output stride
of 16. Source: segmentation_models_pytorch/decoders/deeplabv3; the same from 0.2.1 to 0.6.0.
"""

from models.families.smp import common
from models.families.smp.deeplabv3 import atrous
from models.specification import Choices, Shapes

MARK = r"decoder\.(aspp\.[012]|block[12])\."
STRIDE = 16


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    return atrous("DeepLabV3Plus", "aspp.0", STRIDE, shapes)


FAMILY = common.smp_family("DeepLabV3Plus", MARK, _read)
