"""Recognise smp's UPerNet: the last feature pooled as a pyramid, a feature pyramid above it.

Keys: `decoder.feature_norms.{i}.weight (in)`, `decoder.psp`, `decoder.fpn_lateral_blocks`,
`decoder.fpn_conv_blocks`, `decoder.fusion_block.0.weight (channels, in, 3, 3)`.
Source: segmentation_models_pytorch/decoders/upernet, from 0.5.0. The UPerNet of 0.4 was another
network (`decoder.fpn_stages`), which later versions of smp cannot load, so it is refused.
"""

from models.errors import InputError
from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.(feature_norms|fpn_\w+|fusion_block|psp\.out_conv|psp\.blocks\.\d\.1)\."
FUSION = "decoder.fusion_block."


def _read(shapes: Shapes, _choices: Choices) -> common.DecoderSpecification:
    if any(key.startswith("decoder.fpn_stages.") for key in shapes):
        raise InputError(
            "The keys are those of UPerNet in smp 0.4, which smp changed in 0.5: no later version "
            "builds that network, so load it with smp 0.4 and export it as your own module."
        )
    norms = keys.count(shapes, r"decoder\.feature_norms\.\d\.weight$")
    last = f"decoder.feature_norms.{max(norms, 1) - 1}.weight"
    return common.DecoderSpecification(
        query=EncoderQuery((norms + 1,), keys.require_shape(shapes, last, 1, "UPerNet")[0]),
        arguments={
            "decoder_channels": keys.require_shape(shapes, FUSION + "0.weight", 4, "UPerNet")[0],
            "decoder_use_norm": keys.norm(shapes, FUSION),
        },
    )


FAMILY = common.smp_family("UPerNet", MARK, _read)
