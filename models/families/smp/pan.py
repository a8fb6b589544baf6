"""Recognise smp's PAN: feature pyramid attention below, and global attention on the way up.

Keys: `decoder.fpa.mid.0.conv.weight (channels, in, 1, 1)`, `decoder.gau{1,2,3}`, of which the
last tells the depth. Dilations leave no trace in shapes: smp's own are taken, for an output
stride of 16. Source: segmentation_models_pytorch/decoders/pan; the same from 0.2.1 to 0.6.0.
"""

from models.families.encoders.catalogue import Shapes
from models.families.encoders.match import Sought
from models.families.smp import common, keys
from models.families.smp.common import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp PAN"
MARK = r"decoder\.(fpa|gau[123])\."
PARTS = (r"encoder\.", MARK, r"segmentation_head\.")
STRIDE = 16


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the PAN's arguments from its shapes; None when the decoder is another's.

    Raises InputError where its decoder is incomplete, or the encoder unknown or not settled.
    """
    if not keys.is_marked(shapes, MARK):
        return None
    middle = keys.needed(shapes, "decoder.fpa.mid.0.conv.weight", 4, "PAN")
    interpolation, assumed = keys.interpolation(choices, "bilinear")
    decoder = common.Decoder(
        architecture="PAN",
        sought=Sought((_depth(shapes),), middle[1]),
        arguments={
            "decoder_channels": middle[0],
            "decoder_interpolation": interpolation,
            "encoder_output_stride": STRIDE,
        },
        assumed={**assumed, "encoder_output_stride": keys.UNSEEN},
        output_stride=STRIDE,
    )
    return common.specify(decoder, shapes, choices)


def _depth(shapes: Shapes) -> int:
    gates = [gate for gate in (1, 2, 3) if keys.is_marked(shapes, rf"decoder\.gau{gate}\.")]
    return 2 + max(gates, default=1)
