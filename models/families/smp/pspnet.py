"""Recognise smp's PSPNet, which pools an encoder's last feature to 1, 2, 3 and 6 cells.

Keys: `decoder.psp.blocks.{i}.pool.1.0.weight (in / 4, in, 1, 1)`, and
`decoder.conv.0.weight (out, 2 in, 1, 1)`. Its encoder has a depth of 3 unless told otherwise.
Source: segmentation_models_pytorch/decoders/pspnet; the same keys from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp PSPNet"
MARK = r"decoder\.psp\.blocks\.\d+\.pool\."
PARTS = (r"encoder\.", MARK, r"decoder\.conv\.", r"segmentation_head\.")


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the PSPNet's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    pooled = keys.needed(shapes, "decoder.psp.blocks.0.pool.1.0.weight", 4, "PSPNet")
    decoder = common.Decoder(
        architecture="PSPNet",
        sought=Sought((3, 4, 5), pooled[1]),
        arguments={
            "psp_out_channels": keys.needed(shapes, "decoder.conv.0.weight", 4, "PSPNet")[0],
            "decoder_use_norm": keys.norm(shapes, "decoder.conv."),
        },
        upsampling={3: 8, 4: 16, 5: 32},
    )
    return common.specify(decoder, shapes, choices)
