"""smp's Unet: an encoder, three to five decoder blocks, a segmentation head.

Keys: `encoder.…`, `decoder.blocks.{i}.conv{1,2}.0.weight (out, in, 3, 3)` with the norm in
`.conv{1,2}.1`, `decoder.blocks.{i}.attention{1,2}.attention.{cSE,sSE}` for scse,
`decoder.center` below VGG encoders, and `segmentation_head.0.weight (classes, in, k, k)`.
Source: segmentation_models_pytorch/decoders/unet; the keys are the same from 0.2.1 to 0.6.0.
"""

from models.families import smp, smp_keys
from models.families.encoders import Shapes, Sought
from models.families.lookalikes import likeliest
from models.families.smp import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "smp Unet"
PARTS = (r"encoder\.", r"decoder\.blocks\.\d+\.", r"segmentation_head\.")
HEAD = "segmentation_head.0.weight"


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the Unet's arguments from its shapes; None when the decoder is another's.

    Raises InputError where the encoder is unknown, or several fit and none was chosen.
    """
    channels = decoder_channels(shapes)
    if not channels or len(shapes.get(HEAD, ())) != 4 or _is_another(shapes):
        return None  # MAnet, for one, has all of these keys and others besides
    interpolation, assumed = smp_keys.interpolation(choices)
    decoder = smp.Decoder(
        architecture="Unet",
        sought=Sought((len(channels),)),
        arguments={
            "decoder_channels": channels,
            "decoder_use_norm": smp_keys.norm(shapes, "decoder.blocks.0.conv1."),
            "decoder_attention_type": smp_keys.attention(shapes),
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
    )
    return smp.specify(decoder, shapes, choices, HEAD)


def decoder_channels(shapes: Shapes) -> tuple[int, ...]:
    """What each decoder block gives."""
    channels: list[int] = []
    while len(shape := shapes.get(f"decoder.blocks.{len(channels)}.conv1.0.weight", ())) == 4:
        channels.append(shape[0])
    return tuple(channels)


def _is_another(shapes: Shapes) -> bool:
    """Whether the decoder has keys of another of smp's architectures."""
    if any(key.startswith("transformer.") for key in shapes):
        return True  # TransUNet's decoder and head have the same names
    return likeliest(key for key in shapes if key.startswith("decoder.")) is not None
