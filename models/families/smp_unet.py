"""smp's Unet: an encoder, five (or three, four) decoder blocks, a segmentation head.

Keys: `encoder.…`, `decoder.blocks.{i}.conv{1,2}.0.weight (out, in, 3, 3)` with the norm in
`.conv{1,2}.1`, `decoder.blocks.{i}.attention{1,2}.attention.{cSE,sSE}` for scse,
`decoder.center` below VGG encoders, and `segmentation_head.0.weight (classes, in, k, k)`.
Source: segmentation_models_pytorch/decoders/unet; the keys are the same from 0.2.1 to 0.6.0.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch import nn

from models.errors import InputError
from models.families import encoders
from models.families.lookalikes import key_tree, likeliest
from models.specification import Choices, Specification

NAME = "smp Unet"
PARTS = (r"encoder\.", r"decoder\.blocks\.\d+\.", r"segmentation_head\.")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "nearest-exact")
# Below this share of tensors that fit, an encoder is not called the nearest one.
LIKENESS = 0.6
IGNORED = (
    (r"classification_head\.", "auxiliary classification head: it does not draw the mask"),
    (
        r"encoder\.(model\.)?(fc|_fc|last_linear|classifier|head|output)\.",
        "classifier head that the encoder does not use",
    ),
)

Shapes = Mapping[str, tuple[int, ...]]


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the Unet's arguments from its shapes; None when the decoder is another's.

    Raises InputError where the encoder is unknown, or several fit and none was chosen.
    """
    decoder_channels = _decoder_channels(shapes)
    head = shapes.get("segmentation_head.0.weight", ())
    if not decoder_channels or len(head) != 4 or _is_another(shapes):
        return None  # MAnet, for one, has all of these keys and others besides
    encoder = _encoder(shapes, choices, len(decoder_channels))
    below = _below(shapes, "encoder.")
    interpolation, assumed = _interpolation(choices)
    return Specification(
        family="smp",
        architecture="Unet",
        in_channels=encoders.input_channels(below, encoder) or 3,
        classes=head[0],
        stride=2 ** len(decoder_channels),
        arguments={
            "encoder_name": encoder,
            "encoder_depth": len(decoder_channels),
            "decoder_channels": decoder_channels,
            "decoder_use_norm": _norm(shapes),
            "decoder_attention_type": _attention(shapes),
            "decoder_interpolation": interpolation,
        },
        assumed=assumed,
    )


def build(specification: Specification) -> nn.Module:
    """The network, freshly initialised; on the current default device."""
    import models.torchvision_shim  # noqa: F401

    import segmentation_models_pytorch as smp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # smp's own `timm-` names
        network = smp.Unet(
            encoder_weights=None,
            in_channels=specification.in_channels,
            classes=specification.classes,
            **cast(dict[str, Any], dict(specification.arguments)),
        )
    return cast(nn.Module, network)


def ignored(key: str) -> str | None:
    """Why `key` of a checkpoint is not needed, or None."""
    for pattern, reason in IGNORED:
        if re.match(pattern, key):
            return reason
    return None


def renamed(keys: Iterable[str], specification: Specification) -> dict[str, str]:
    """Network key → checkpoint key, for timm encoders saved by smp 0.2 to 0.4."""
    name = str(specification.arguments["encoder_name"])
    inside = [key for key in keys if key.startswith("encoder.")]
    universal = "encoder." + encoders.UNIVERSAL
    if not name.startswith("tu-") or any(key.startswith(universal) for key in inside):
        return {}
    spelled = encoders.universal_name
    return {
        "encoder." + spelled(key.removeprefix("encoder.")): key
        for key in inside
        if not ignored(key)
    }


def _is_another(shapes: Shapes) -> bool:
    """Whether the decoder has keys of another of smp's architectures."""
    if any(key.startswith("transformer.") for key in shapes):
        return True  # TransUNet's decoder and head have the same names
    return likeliest(key for key in shapes if key.startswith("decoder.")) is not None


def _decoder_channels(shapes: Shapes) -> tuple[int, ...]:
    channels: list[int] = []
    while len(shape := shapes.get(f"decoder.blocks.{len(channels)}.conv1.0.weight", ())) == 4:
        channels.append(shape[0])
    return tuple(channels)


def _attention(shapes: Shapes) -> str | None:
    return "scse" if any(".attention1.attention.cSE." in key for key in shapes) else None


def _norm(shapes: Shapes) -> bool | str | dict[str, object]:
    """The decoder's norm: smp gives a convolution a bias exactly where it has none."""
    block = "decoder.blocks.0.conv1."
    if block + "1.running_mean" in shapes:
        return "batchnorm"
    if block + "0.bias" in shapes:
        return False
    # smp cannot build its decoder with an instance norm that has no weight and bias.
    return {"type": "instancenorm", "affine": True}


def _interpolation(choices: Choices) -> tuple[str, dict[str, str]]:
    if choices.interpolation is None:
        reason = "it is smp's default, shapes cannot tell it, and INTERPOLATION= settles it"
        return "nearest", {"decoder_interpolation": reason}
    if choices.interpolation not in INTERPOLATIONS:
        raise InputError(
            f"INTERPOLATION={choices.interpolation} is none of smp's: {', '.join(INTERPOLATIONS)}."
        )
    return choices.interpolation, {}


def _below(shapes: Shapes, prefix: str) -> dict[str, tuple[int, ...]]:
    return {k.removeprefix(prefix): s for k, s in shapes.items() if k.startswith(prefix)}


def _encoder(shapes: Shapes, choices: Choices, depth: int) -> str:
    below = {k: s for k, s in _below(shapes, "encoder.").items() if not ignored("encoder." + k)}
    if choices.encoder is not None:
        return _known(choices.encoder)
    fits = encoders.matching(below)
    if len(fits) > 1:
        raise InputError(
            f"Shapes cannot tell the encoder: {', '.join(fits)} all fit. Say ENCODER={fits[0]}, "
            "or whichever it was trained with."
        )
    if fits:
        return fits[0]
    nearest = _nearest(below, depth)
    if nearest is None:
        raise InputError(
            f"The decoder is smp Unet's, but no encoder of smp has the tensors below `encoder.`: "
            f"{key_tree(below)}. Say ENCODER= with its name in smp."
        )
    return nearest


def _known(name: str) -> str:
    """`name` as smp takes it, checked without building it."""
    if name in encoders.catalogue():
        return name
    if (spelled := name.replace("timm-", "tu-")) in encoders.catalogue():
        return spelled
    from difflib import get_close_matches

    near = get_close_matches(name, encoders.catalogue(), n=3, cutoff=0.5)
    hint = f"; near it are {', '.join(near)}" if near else ""
    raise InputError(f"ENCODER={name} is not an encoder that Segport knows{hint}.")


def _nearest(below: Shapes, depth: int) -> str | None:
    """The encoder that shares most tensors with an incomplete or odd state dict.

    It lets the key accounting say which tensors are missing, instead of "unknown encoder".
    """
    ranked = []
    for name in encoders.nearest(below):
        channels = (16,) * depth
        arguments = {
            "encoder_name": name,
            "encoder_depth": depth,
            "decoder_channels": channels,
        }
        with torch.device("meta"):
            network = build(Specification("smp", "Unet", 3, 1, 32, arguments))
        expected = _below({k: tuple(t.shape) for k, t in network.state_dict().items()}, "encoder.")
        shared = sum(below.get(key) == shape for key, shape in expected.items())
        ranked.append((shared / len(expected.keys() | below.keys()), name))
    likeness, name = max(ranked, default=(0.0, ""))
    return name if likeness >= LIKENESS else None
