"""Recognise smp's Unet: an encoder, three to five decoder blocks, a segmentation head.

Keys: `encoder.…`, `decoder.blocks.{i}.conv{1,2}.0.weight (out, in, 3, 3)` with the norm in
`.conv{1,2}.1`, `decoder.blocks.{i}.attention{1,2}.attention.{cSE,sSE}` for scse,
`decoder.center` below VGG encoders, and `segmentation_head.0.weight (classes, in, k, k)`.
Source: segmentation_models_pytorch/decoders/unet; the keys are the same from 0.2.1 to 0.6.0.
"""

from models.families.encoders.match import EncoderQuery
from models.families.hints import likeliest
from models.families.smp import common, keys
from models.specification import Choices, Shapes

MARK = r"decoder\.blocks\.\d+\."


def _read(shapes: Shapes, choices: Choices) -> common.DecoderSpecification | None:
    channels = decoder_channels(shapes)
    if not channels or len(shapes.get(common.HEAD, ())) != 4 or _is_another(shapes):
        return None  # MAnet has all of these keys and others besides
    return of_blocks(channels, "decoder.blocks.0.conv1.", shapes, choices)


def of_blocks(
    channels: tuple[int, ...], first: str, shapes: Shapes, choices: Choices
) -> common.DecoderSpecification:
    """Read a decoder of the Unet's blocks, which give `channels`; one's keys start with `first`.

    Raises InputError where the up-sampling that was chosen is none of smp's.
    """
    interpolation, assumed = keys.interpolation(choices)
    return common.DecoderSpecification(
        query=EncoderQuery((len(channels),)),
        arguments={
            "decoder_channels": channels,
            "decoder_use_norm": keys.norm(shapes, first),
            "decoder_attention_type": keys.attention(shapes),
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
    )


def decoder_channels(shapes: Shapes) -> tuple[int, ...]:
    """Return how many channels each decoder block gives."""
    channels: list[int] = []
    while len(shape := shapes.get(f"decoder.blocks.{len(channels)}.conv1.0.weight", ())) == 4:
        channels.append(shape[0])
    return tuple(channels)


def _is_another(shapes: Shapes) -> bool:
    """Return whether the decoder has keys of another of smp's architectures."""
    if any(key.startswith("transformer.") for key in shapes):
        return True  # TransUNet's decoder and head have the same names
    return likeliest(key for key in shapes if key.startswith("decoder.")) is not None


FAMILY = common.smp_family("Unet", MARK, _read)
