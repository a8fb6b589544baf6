"""Settle which encoder lies below a decoder of smp, and how deep it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.common.text import listed
from models.errors import InputError
from models.families.encoders import match
from models.families.encoders.catalogue import TIMM, catalogue
from models.families.encoders.lookup import entry_of
from models.families.encoders.match import EncoderQuery
from models.families.hints import key_tree
from models.specification import Choices, Shapes

LIKENESS = 0.6
"""Share of tensors that must fit before an encoder is called the nearest one."""
LISTED = 8
"""Encoders named in a message."""


@dataclass(frozen=True)
class EncoderChoice:
    """Hold an encoder's name, as smp takes it, its depth, and why either was assumed."""

    name: str
    depth: int
    assumed: Mapping[str, str] = field(default_factory=dict)


def choose_encoder(
    shapes: Shapes, query: EncoderQuery, choices: Choices, architecture: str
) -> EncoderChoice:
    """Return the encoder whose tensors are `shapes`.

    Raises InputError where it is unknown, or where several fit and none was chosen.
    """
    if choices.encoder is not None:
        name = current_name(choices.encoder)
        return EncoderChoice(name, _depth(name, shapes, query))
    fits = match.matching(shapes, query)
    if fits:
        return _chosen(fits, str(choices.stated.get("encoder_name")))
    name = nearest(shapes, query) or ""
    if not name:
        raise InputError(
            f"The decoder is that of smp's {architecture}, but no encoder that Segport knows has "
            f"the tensors below `encoder.`: {key_tree(shapes)}. Say ENCODER= with its name in smp."
        )
    return EncoderChoice(name, query.depths[0])


def current_name(name: str) -> str:
    """Return `name` as smp takes it today.

    Raises InputError where smp and timm offer no such encoder.
    """
    today = name.replace("timm-mobilenetv3", "tu-tf_mobilenetv3").replace("timm-", TIMM)
    for candidate in (name, today):
        if entry_of(candidate) is not None:
            return candidate
    from difflib import get_close_matches

    near = get_close_matches(name, catalogue(), n=3, cutoff=0.5)
    hint = f"; near it are {', '.join(near)}" if near else ""
    raise InputError(f"ENCODER={name} is not an encoder that Segport knows{hint}.")


def nearest(shapes: Shapes, query: EncoderQuery) -> str | None:
    """Return the encoder that shares most tensors with an incomplete or odd state dict.

    With it, the key report can say which tensors are missing, instead of "unknown encoder".
    """
    ranked = []
    for name in match.similar(shapes, query):
        expected = _expected(name, query)
        shared = sum(shapes.get(key) == shape for key, shape in expected.items())
        ranked.append((shared / len(expected.keys() | shapes.keys()), name))
    likeness, name = max(ranked, default=(0.0, ""))
    return name if likeness >= LIKENESS else None


def _expected(name: str, query: EncoderQuery) -> Shapes:
    from models.families.encoders import build

    return build.tensor_shapes(name, 0 if query.tokens else query.depths[0])


def _depth(name: str, shapes: Shapes, query: EncoderQuery) -> int:
    """Return the depth that an encoder chosen by the user has."""
    entry = entry_of(name)
    if entry is None:
        return query.depths[0]
    fits = match.matching(shapes, query, {name: entry}).get(name, ())
    likely = [depth for depth in query.depths if entry.has(depth, query.deepest)]
    return (*fits, *likely, *query.depths)[0]


def _chosen(fits: Mapping[str, tuple[int, ...]], stated: str) -> EncoderChoice:
    """Return one of several encoders that fit, if all compute the same or the file states one."""
    if stated in fits:
        fits = {stated: fits[stated]}
    meanings: dict[str, str] = {}
    for name in fits:
        meanings.setdefault(catalogue()[name].meaning, name)
    if len(meanings) > 1:
        names = list(meanings.values())
        raise InputError(
            f"Shapes cannot tell the encoder: {listed(names, LISTED)} all fit. "
            f"Say ENCODER={names[0]}, or whichever it was trained with."
        )
    name, *others = fits
    assumed = {}
    if others:
        assumed["encoder_name"] = f"the same network as {', '.join(others[:LISTED])}"
    if len(fits[name]) > 1:
        depths = ", ".join(map(str, fits[name]))
        assumed["encoder_depth"] = f"{depths} fit, and this is nearest to smp's default"
    return EncoderChoice(name, fits[name][0], assumed)
