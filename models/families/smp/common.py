"""Specify and build what smp's twelve architectures share: an encoder and a segmentation head.

Source: segmentation_models_pytorch 0.2.1 to 0.6.0. Each architecture is a module of its own
that reads a `DecoderSpecification` from its decoder's keys.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from torch import nn

from models.common.lean_imports import without_dynamo
from models.errors import InputError
from models.families.encoders import choose, lookup, match
from models.families.encoders.catalogue import TIMM, UNIVERSAL
from models.families.encoders.choose import EncoderChoice
from models.families.encoders.match import EncoderQuery
from models.families.family import Family, Renamed
from models.families.smp.keys import below, is_marked, require_shape
from models.specification import Choices, Shapes, Specification

HEAD = "segmentation_head.0.weight"
FULL_SIZE = "it makes masks as large as pictures, and shapes cannot tell it"
IGNORED = (
    (r"classification_head\.", "auxiliary classification head: it does not draw the mask"),
    (
        r"encoder\.(model\.)?(fc|_fc|last_linear|classifier|head|output)\.",
        "classifier head that the encoder does not use",
    ),
)


@dataclass(frozen=True)
class DecoderSpecification:
    """Hold what a decoder's keys tell: the constructor's `arguments` but those of the encoder.

    `output_stride` is the encoder's where it is less than its depth makes it, `upsampling` the
    head's as the depth decides it.
    """

    query: EncoderQuery
    arguments: Mapping[str, object]
    assumed: Mapping[str, str] = field(default_factory=dict)
    output_stride: int = 32
    upsampling: Mapping[int, int] = field(default_factory=dict)


def specify(
    architecture: str, decoder: DecoderSpecification, shapes: Shapes, choices: Choices, head: str
) -> Specification:
    """Return the specification of `decoder` with the encoder that `shapes` hold.

    Raises InputError where the encoder is unknown, or several fit and none was chosen.
    """
    inside = {k: s for k, s in below(shapes, "encoder.").items() if not ignored("encoder." + k)}
    encoder = choose.choose_encoder(inside, decoder.query, choices, architecture)
    arguments, assumed = _arguments(decoder, encoder, choices)
    entry = lookup.entry_of(encoder.name)
    side = 0 if entry is None else match.side(inside, entry)
    if entry is not None and entry.tokens and side != entry.side:
        arguments["img_size"] = side
    return Specification(
        family="smp",
        architecture=architecture,
        in_channels=match.input_channels(inside, encoder.name) or 3,
        classes=require_shape(shapes, head, 4, architecture)[0],
        stride=_stride(decoder, encoder.depth, arguments),
        arguments=arguments,
        assumed=assumed,
        fixed_size=(side, side) if side else None,
    )


def _arguments(
    decoder: DecoderSpecification, encoder: EncoderChoice, choices: Choices
) -> tuple[dict[str, object], dict[str, str]]:
    """Return all of the constructor's arguments, and why some were assumed.

    What the checkpoint itself says takes the place of what was assumed.
    """
    arguments = {
        "encoder_name": encoder.name,
        "encoder_depth": encoder.depth,
        **decoder.arguments,
    }
    assumed = {**encoder.assumed, **decoder.assumed}
    if decoder.upsampling:
        arguments["upsampling"] = decoder.upsampling[encoder.depth]
        assumed["upsampling"] = FULL_SIZE
    told = {name: choices.stated[name] for name in assumed.keys() & choices.stated.keys()}
    told.pop("encoder_name", None)  # chosen among the encoders that fit
    rest = {name: reason for name, reason in assumed.items() if name not in told}
    return {**arguments, **told}, rest


def _stride(decoder: DecoderSpecification, depth: int, arguments: Mapping[str, object]) -> int:
    if decoder.query.tokens:
        return decoder.output_stride
    stride = arguments.get("encoder_output_stride", decoder.output_stride)
    return min(stride, int(2**depth)) if isinstance(stride, int) else int(2**depth)


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised, on the current default device.

    Raises InputError for what smp itself does not offer, as an encoder in some architecture.
    """
    import models.torchvision_shim  # noqa: F401

    with without_dynamo():
        import segmentation_models_pytorch

    architecture = getattr(segmentation_models_pytorch, specification.architecture)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # smp's own `timm-` names, and timm's of its layers
        try:
            network = architecture(
                encoder_weights=None,
                in_channels=specification.in_channels,
                classes=specification.classes,
                **cast(dict[str, Any], dict(specification.arguments)),
            )
        except RuntimeError:  # a construction that needs more than shapes
            raise
        except Exception as error:  # smp's and timm's constructors raise whatever they raise
            reason = str(error) or type(error).__name__
            raise InputError(f"smp cannot build {specification.title}: {reason}") from error
    return cast(nn.Module, network)


def ignored(key: str) -> str | None:
    """Return why `key` of a checkpoint is not require_shape, or None."""
    return next((reason for pattern, reason in IGNORED if re.match(pattern, key)), None)


def renamed(keys: Iterable[str], specification: Specification) -> dict[str, str]:
    """Return network key → checkpoint key, for timm encoders saved by smp 0.2 to 0.4."""
    name = str(specification.arguments["encoder_name"])
    inside = [key for key in keys if key.startswith("encoder.")]
    universal = "encoder." + UNIVERSAL
    if not name.startswith(TIMM) or any(key.startswith(universal) for key in inside):
        return {}
    return {
        "encoder." + match.universal_name(key.removeprefix("encoder.")): key
        for key in inside
        if not ignored(key)
    }


def smp_family(
    architecture: str,
    mark: str,
    read: Callable[[Shapes, Choices], DecoderSpecification | None],
    others: tuple[str, ...] = (),
    *,
    head: str = HEAD,
    renamed: Renamed = renamed,
) -> Family:
    """Return the family of smp's `architecture`, whose decoder has keys that start with `mark`.

    `read` gives what the decoder's keys tell; None where the decoder is another's after all.
    `others` are further starts of its keys, `head` is the key of the last convolution.
    """

    def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
        decoder = read(shapes, choices) if is_marked(shapes, mark) else None
        return None if decoder is None else specify(architecture, decoder, shapes, choices, head)

    parts = (r"encoder\.", mark, *others, r"segmentation_head\.")
    return Family(
        name=f"smp {architecture}",
        parts=parts,
        recognise=recognise,
        build=build,
        ignored=ignored,
        renamed=renamed,
    )
