"""Recognises smp's encoders by the names and shapes of their tensors.

`encoders.json` holds a signature of every encoder, so that recognising one needs no smp:
the SHA-256 of its sorted (name, shape) pairs, in which the input channels of the stem are
left open and batch norm counters are left out. `make catalogue` writes it from the
installed smp. A depth below five leaves the tensors of an encoder as they are.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CATALOGUE = Path(__file__).with_name("encoders.json")
COUNTER = "num_batches_tracked"
# smp 0.2 to 0.4 kept these timm encoders' tensors directly below `encoder.`;
# smp 0.5 and later keep them below `encoder.model.`.
UNIVERSAL = "model."

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class CatalogueEntry:
    """What is known of one encoder: `stem` names the tensors that take the input channels."""

    signature: str
    stem: tuple[str, ...]
    children: tuple[str, ...]
    tensors: int


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All encoders by name, as smp's constructor takes it."""
    entries = json.loads(CATALOGUE.read_text())
    return {
        name: CatalogueEntry(e["signature"], tuple(e["stem"]), tuple(e["children"]), e["tensors"])
        for name, e in entries.items()
    }


def signature(shapes: Shapes, stem: tuple[str, ...]) -> str:
    """The signature of an encoder's `shapes`, open in the input channels of `stem`."""
    pairs = []
    for name, shape in sorted(shapes.items()):
        if name.endswith(COUNTER):
            continue
        pairs.append((name, (shape[0], "in", *shape[2:]) if name in stem else tuple(shape)))
    return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16]


def universal_name(name: str) -> str:
    """How smp 0.5 and later call a timm encoder's tensor that older versions called `name`.

    >>> universal_name("stages.0.0.conv1_kxk.conv.weight")
    'model.stages_0.0.conv1_kxk.conv.weight'
    """
    return UNIVERSAL + re.sub(r"^stages\.", "stages_", name)


def spelled_as_universal(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """`shapes` under the names that smp 0.5 and later give to a timm encoder's tensors."""
    return {universal_name(name): shape for name, shape in shapes.items()}


def matching(shapes: Shapes) -> list[str]:
    """Names of the encoders whose tensors have exactly these names and shapes.

    Several names mean that shapes cannot tell them apart.
    """
    by_stem: dict[tuple[str, ...], set[str]] = {}
    for entry in catalogue().values():
        if entry.stem not in by_stem:
            spellings = (shapes, spelled_as_universal(shapes))
            by_stem[entry.stem] = {
                signature(spelling, entry.stem) for spelling in spellings if _has(spelling, entry)
            }
    return [name for name, e in catalogue().items() if e.signature in by_stem[e.stem]]


def nearest(shapes: Shapes, most: int = 6) -> list[str]:
    """Encoders that might be meant by incomplete or odd `shapes`, the likeliest first.

    They share the names of the encoder's children; the number of tensors ranks them.
    """
    tensors = [name for name in shapes if not name.endswith(COUNTER)]
    children = {name.removeprefix(UNIVERSAL).split(".")[0] for name in tensors}
    ranked = sorted(
        (abs(entry.tensors - len(tensors)), name)
        for name, entry in catalogue().items()
        if len(children & set(entry.children)) >= 0.75 * len(children | set(entry.children))
    )
    return [name for _, name in ranked[:most]]


def input_channels(shapes: Shapes, encoder: str) -> int | None:
    """How many channels the stem takes; None when it is not there or no convolution."""
    stem = catalogue()[encoder].stem
    for spelling in (shapes, spelled_as_universal(shapes)):
        if stem[0] in spelling and len(spelling[stem[0]]) == 4:
            return spelling[stem[0]][1]
    return None


def _has(shapes: Shapes, entry: CatalogueEntry) -> bool:
    return all(name in shapes and len(shapes[name]) > 1 for name in entry.stem)
