"""Recognise smp's DPT: tokens of a vision transformer, reassembled into a pyramid and fused.

Keys: `encoder.model.…` of timm's transformer, `decoder.projection_blocks.{i}.project` where the
class token is concatenated, `decoder.reassemble_blocks.{i}.project_to_out_channel`,
`decoder.fusion_blocks`, `segmentation_head.head.{0,1,4}`.
Source: segmentation_models_pytorch/decoders/dpt, from 0.5.0.
"""

from models.errors import InputError
from models.families.encoders.match import EncoderQuery
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.(reassemble|fusion|projection)_blocks\."
REASSEMBLE = "decoder.reassemble_blocks."
HEAD = "segmentation_head.head.4.weight"


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification:
    blocks = keys.count(shapes, r"decoder\.reassemble_blocks\.\d+\.")
    widths = [_reassembled(shapes, block) for block in range(max(blocks, 1))]
    fusion = keys.require_shape(shapes, REASSEMBLE + "0.project_to_feature_dim.weight", 4, "DPT")
    readout, assumed = _readout(shapes, choices)
    patch = keys.require_shape(shapes, "encoder.model.patch_embed.proj.weight", 4, "DPT")
    return common.DecoderSpecification(
        query=EncoderQuery((blocks,), widths[0][1], tokens=True),
        arguments={
            "encoder_output_indices": None,
            "decoder_readout": readout,
            "decoder_intermediate_channels": tuple(width[0] for width in widths),
            "decoder_fusion_channels": fusion[0],
            "num_classes": 0,  # timm's: no classifier, which DPT does not use
        },
        assumed={"encoder_output_indices": keys.UNSEEN, **assumed},
        output_stride=patch[-1],
    )


def _reassembled(shapes: Shapes, block: int) -> tuple[int, ...]:
    key = f"{REASSEMBLE}{block}.project_to_out_channel.weight"
    return keys.require_shape(shapes, key, 4, "DPT")


def _readout(shapes: Shapes, choices: Choices) -> tuple[str, dict[str, str]]:
    """Return how the class token is used: concatenated, or in a way that leaves no tensors.

    Raises InputError where there is a token that is added or ignored, which differ.
    """
    if any(key.startswith("decoder.projection_blocks.") for key in shapes):
        return "cat", {}
    if "encoder.model.cls_token" not in shapes and "encoder.model.reg_token" not in shapes:
        return "ignore", {"decoder_readout": "there is no class token to use"}
    if choices.stated.get("decoder_readout") in ("add", "ignore"):
        return str(choices.stated["decoder_readout"]), {}
    raise InputError(
        "The keys are smp DPT's, but nothing in them tells whether the decoder adds or ignores "
        "the class token (decoder_readout): build it in a file of your own and export that."
    )


FAMILY = common.smp_family("DPT", MARK, _read, head=HEAD)
