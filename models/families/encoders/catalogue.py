"""Hold the signatures of every encoder that smp offers, its own and those that it takes from timm.

`encoders.json` has them, so that recognising an encoder needs neither library: the SHA-256 of its
sorted (name, shape) pairs, in which the input channels of the stem are left open and batch norm
counters are left out. `make catalogue` writes it from the installed smp and timm. A timm encoder
lacks the stages below its depth, so it has a signature for each depth; smp's own encoders keep all
tensors.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.specification import Shapes

CATALOGUE = Path(__file__).with_name("encoders.json")

COUNTER = "num_batches_tracked"
"""Last part of the key of a batch norm's training counter."""
UNIVERSAL = "model."
"""What stands between `encoder.` and a timm encoder's keys; smp 0.2 to 0.4 left it out for some."""
TIMM = "tu-"
"""What smp puts before the name of an encoder that it takes from timm."""
POSITIONS = ("pos_embed", "relative_position_bias_table")
"""Tensors of a vision transformer that grow with the picture: `(1, tokens, channels)`, or
`(relative places, heads)`."""


@dataclass(frozen=True)
class CatalogueEntry:
    """Hold what is known of one encoder.

    `signatures` map to the depths that have them (0 for the vision transformers of DPT, whose
    `tokens` are read), `stem` names the tensors that take the input channels, `channels` are
    those of the features from full resolution down, encoders of one `meaning` have the same layers
    with the same settings, and `side` is the one height and width they take, or 0.
    """

    signatures: Mapping[str, tuple[int, ...]]
    stem: tuple[str, ...]
    children: tuple[str, ...]
    tensors: int
    channels: tuple[int, ...]
    meaning: str
    tokens: bool
    side: int

    def has(self, depth: int, deepest: int | None) -> bool:
        """Return whether the last feature at `depth` has `deepest` channels; None is any number."""
        return depth < len(self.channels) and deepest in (None, self.channels[depth])


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Return all encoders by name, as smp's constructor takes it."""
    return {name: _entry(**fields) for name, fields in json.loads(CATALOGUE.read_text()).items()}


def _entry(
    signatures: dict[str, list[int]],
    stem: list[str],
    children: list[str],
    channels: list[int],
    **others: object,
) -> CatalogueEntry:
    return CatalogueEntry(
        signatures={key: tuple(depths) for key, depths in signatures.items()},
        stem=tuple(stem),
        children=tuple(children),
        channels=tuple(channels),
        **others,  # type: ignore[arg-type]
    )


def signature(shapes: Shapes, stem: tuple[str, ...], tokens: bool = False) -> str:
    """Return the signature of an encoder's `shapes`, open in the input channels of `stem`.

    A vision transformer's signature is open in the picture's size as well.

    >>> grey, colour = {"conv1.weight": (64, 1, 7, 7)}, {"conv1.weight": (64, 3, 7, 7)}
    >>> signature(grey, ("conv1.weight",)) == signature(colour, ("conv1.weight",))
    True
    """
    pairs = []
    for name, shape in sorted(shapes.items()):
        if name.endswith(COUNTER):
            continue
        opened = (shape[0], "in", *shape[2:]) if name in stem else tuple(shape)
        pairs.append((name, shape[-1:] if tokens and name.endswith(POSITIONS) else opened))
    return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16]
