"""Recognise smp's DeepLabV3Plus: DeepLabV3's pyramid joined with a feature of high resolution.

Keys: `decoder.aspp.0.convs.{i}.…`, `decoder.aspp.1`, `decoder.block1.0.weight (48, in, 1, 1)`,
`decoder.block2`. Dilations leave no trace in shapes: smp's own are taken, for an output stride
of 16. Source: segmentation_models_pytorch/decoders/deeplabv3; the same from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.families.smp.deeplabv3 import atrous
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp DeepLabV3Plus"
MARK = r"decoder\.(aspp\.[012]|block[12])\."
PARTS = (r"encoder\.", MARK, r"segmentation_head\.")
STRIDE = 16


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the DeepLabV3Plus's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    return common.specify(atrous("DeepLabV3Plus", "aspp.0", STRIDE, shapes), shapes, choices)
