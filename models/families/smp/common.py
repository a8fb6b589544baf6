"""Specify and build what smp's twelve architectures share: an encoder and a segmentation head.

Source: segmentation_models_pytorch 0.2.1 to 0.6.0. Each architecture is a module of its own
that says what its decoder's keys tell, as a `Decoder`.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from torch import nn

from models.errors import InputError
from models.families.encoders import choose, lookup, match
from models.families.encoders.catalogue import TIMM, UNIVERSAL, Shapes
from models.families.encoders.choose import Settled
from models.families.encoders.match import Sought
from models.families.smp.keys import below, needed
from models.specification import Choices, Specification

FAMILY = "smp"
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
class Decoder:
    """Hold what a decoder's keys tell: the constructor's `arguments` but those of the encoder.

    `output_stride` is the encoder's where it is less than its depth makes it, `upsampling` the
    head's as the depth decides it.
    """

    architecture: str
    sought: Sought
    arguments: Mapping[str, object]
    assumed: Mapping[str, str] = field(default_factory=dict)
    output_stride: int = 32
    upsampling: Mapping[int, int] = field(default_factory=dict)


def specify(decoder: Decoder, shapes: Shapes, choices: Choices, head: str = HEAD) -> Specification:
    """Return the specification of `decoder` with the encoder that `shapes` hold.

    `head` is the key of the last convolution. Raises InputError where the encoder is unknown,
    or several fit and none was chosen.
    """
    architecture = decoder.architecture
    inside = {k: s for k, s in below(shapes, "encoder.").items() if not ignored("encoder." + k)}
    settled = choose.settle(inside, decoder.sought, choices, architecture)
    arguments, assumed = _arguments(decoder, settled, choices)
    entry = lookup.entry_of(settled.name)
    side = 0 if entry is None else match.side(inside, entry)
    if entry is not None and entry.tokens and side != entry.side:
        arguments["img_size"] = side
    return Specification(
        family=FAMILY,
        architecture=architecture,
        in_channels=match.input_channels(inside, settled.name) or 3,
        classes=needed(shapes, head, 4, architecture)[0],
        stride=_stride(decoder, settled.depth, arguments),
        arguments=arguments,
        assumed=assumed,
        fixed_size=(side, side) if side else None,
    )


def _arguments(
    decoder: Decoder, settled: Settled, choices: Choices
) -> tuple[dict[str, object], dict[str, str]]:
    """Return all of the constructor's arguments, and why some were assumed.

    What the checkpoint itself says takes the place of what was assumed.
    """
    arguments = {
        "encoder_name": settled.name,
        "encoder_depth": settled.depth,
        **decoder.arguments,
    }
    assumed = {**settled.assumed, **decoder.assumed}
    if decoder.upsampling:
        arguments["upsampling"] = decoder.upsampling[settled.depth]
        assumed["upsampling"] = FULL_SIZE
    told = {name: choices.stated[name] for name in assumed.keys() & choices.stated.keys()}
    told.pop("encoder_name", None)  # settled among the encoders that fit
    rest = {name: reason for name, reason in assumed.items() if name not in told}
    return {**arguments, **told}, rest


def _stride(decoder: Decoder, depth: int, arguments: Mapping[str, object]) -> int:
    if decoder.sought.tokens:
        return decoder.output_stride
    stride = arguments.get("encoder_output_stride", decoder.output_stride)
    return min(stride, int(2**depth)) if isinstance(stride, int) else int(2**depth)


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised, on the current default device.

    Raises InputError for what smp itself does not offer, as an encoder in some architecture.
    """
    import models.torchvision_shim  # noqa: F401

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
    """Return why `key` of a checkpoint is not needed, or None."""
    for pattern, reason in IGNORED:
        if re.match(pattern, key):
            return reason
    return None


def renamed(keys: Iterable[str], specification: Specification) -> dict[str, str]:
    """Return network key → checkpoint key, for timm encoders saved by smp 0.2 to 0.4."""
    name = str(specification.arguments["encoder_name"])
    inside = [key for key in keys if key.startswith("encoder.")]
    universal = "encoder." + UNIVERSAL
    if not name.startswith(TIMM) or any(key.startswith(universal) for key in inside):
        return {}
    spelled = match.universal_name
    return {
        "encoder." + spelled(key.removeprefix("encoder.")): key
        for key in inside
        if not ignored(key)
    }
