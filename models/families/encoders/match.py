"""Find the encoders of smp and timm that a checkpoint's tensors fit, by their names and shapes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

from models.families.encoders.catalogue import (
    COUNTER,
    POSITIONS,
    UNIVERSAL,
    CatalogueEntry,
    catalogue,
    signature,
)
from models.families.encoders.lookup import entry_of
from models.specification import Shapes

FORMERLY_BARE = re.compile(r"tu-(regnet[xy]_\d|resnest|res2ne|tf_mobilenetv3|gernet_)")
"""Encoders of timm whose keys smp 0.2 to 0.4 kept without `model.` before them."""
TOKENS = ("model.cls_token", "model.reg_token", "model.dist_token")
"""Tokens that stand before those of the patches."""
RELATIVE_TOKENS = 3
"""Relative places of the class token, in BEiT."""


@dataclass(frozen=True)
class EncoderQuery:
    """Hold what a decoder tells of its encoder: its possible depths, the likeliest first.

    `deepest` is how many channels the encoder's last feature has, where that is seen.
    """

    depths: tuple[int, ...]
    deepest: int | None = None
    tokens: bool = False


def universal_name(name: str) -> str:
    """Return smp 0.5's name of a timm encoder's tensor that older versions called `name`.

    >>> universal_name("stages.0.0.conv1_kxk.conv.weight")
    'model.stages_0.0.conv1_kxk.conv.weight'
    """
    return UNIVERSAL + re.sub(r"^stages\.", "stages_", name)


def spelled_as_universal(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Return `shapes` under the names that smp 0.5 and later give to a timm encoder's tensors."""
    return {universal_name(name): shape for name, shape in shapes.items()}


def matching(
    shapes: Shapes, query: EncoderQuery, entries: Mapping[str, CatalogueEntry] | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the encoders with exactly these names and shapes, each with the fitting depths.

    `entries` are those to compare with, the whole catalogue where it is None. Several names mean
    that shapes cannot tell them apart.
    """
    known: dict[tuple[bool, tuple[str, ...]], str] = {}
    bare = not any(name.startswith(UNIVERSAL) for name in shapes)
    renamed = spelled_as_universal(shapes) if bare else shapes
    found = {}
    for name, entry in (catalogue() if entries is None else entries).items():
        if entry.tokens != query.tokens:
            continue
        formerly = bare and FORMERLY_BARE.match(name) is not None
        spelling = renamed if formerly else shapes
        if (formerly, entry.stem) not in known:
            fits = _has(spelling, entry)
            known[formerly, entry.stem] = (
                signature(spelling, entry.stem, entry.tokens) if fits else ""
            )
        depths = entry.signatures.get(known[formerly, entry.stem], ())
        if fitting := tuple(_fitting(entry, depths, query)):
            found[name] = fitting
    return found


def _fitting(entry: CatalogueEntry, depths: Sequence[int], query: EncoderQuery) -> Iterator[int]:
    if entry.tokens:
        yield from query.depths[:1] if depths and entry.has(0, query.deepest) else ()
        return
    yield from (d for d in query.depths if d in depths and entry.has(d, query.deepest))


def similar(shapes: Shapes, query: EncoderQuery, most: int = 4) -> list[str]:
    """Return encoders that incomplete or odd `shapes` might mean, the likeliest first.

    They share the names of the encoder's children; the channels that the decoder takes, and
    then the number of tensors, rank them.
    """
    tensors = [name for name in shapes if not name.endswith(COUNTER)]
    children = {name.removeprefix(UNIVERSAL).split(".")[0] for name in tensors}
    universal = any(name.startswith(UNIVERSAL) for name in tensors)
    depth = 0 if query.tokens else query.depths[0]
    ranked = sorted(
        (not entry.has(depth, query.deepest), abs(entry.tensors - len(tensors)), name)
        for name, entry in catalogue().items()
        if entry.tokens == query.tokens
        and (universal == name.startswith("tu-") or FORMERLY_BARE.match(name))
        and len(children & set(entry.children)) >= 0.6 * len(children | set(entry.children))
    )
    return [name for _, _, name in ranked[:most]]


def input_channels(shapes: Shapes, encoder: str) -> int | None:
    """Return how many channels the stem takes; None where it is absent or no convolution."""
    entry = entry_of(encoder)
    if entry is None or not entry.stem:
        return None
    for spelling in (shapes, spelled_as_universal(shapes)):
        if len(shape := spelling.get(entry.stem[0], ())) == 4:
            return shape[1]
    return None


def side(shapes: Shapes, entry: CatalogueEntry) -> int:
    """Return the one height and width, in pixels, that the encoder takes; 0 if it takes others too.

    A vision transformer's follows from its position embeddings: one for each patch of a square
    and, in some, for each token before them, or for each relative place of two patches.

    >>> shapes = {"model.patch_embed.proj.weight": (192, 3, 16, 16),
    ...           "model.cls_token": (1, 1, 192), "model.pos_embed": (1, 197, 192)}
    >>> side(shapes, catalogue()["tu-vit_tiny_patch16_224"])
    224
    """
    patch = shapes.get("model.patch_embed.proj.weight", (0,))[-1]
    if not entry.tokens:
        return entry.side
    if len(positions := shapes.get("model.pos_embed", ())) == 3:
        tokens = sum(shapes[name][1] for name in TOKENS if len(shapes.get(name, ())) == 3)
        grids = (isqrt(count) for count in (positions[1] - tokens, positions[1]) if count > 0)
        exact = [g for g in grids if g * g in (positions[1] - tokens, positions[1])]
        return patch * exact[0] if exact else entry.side
    relative = [shape for name, shape in shapes.items() if name.endswith(POSITIONS[1])]
    if relative and len(relative[0]) == 2:
        return patch * ((isqrt(max(0, relative[0][0] - RELATIVE_TOKENS)) + 1) // 2)
    return entry.side


def _has(shapes: Shapes, entry: CatalogueEntry) -> bool:
    return all(len(shapes.get(name, ())) > 1 for name in entry.stem)
