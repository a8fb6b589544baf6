"""Recognise the network that a state dict belongs to, from its keys and shapes alone.

A family is one module in this package, listed in FAMILIES. It offers what `Family` declares;
nothing else needs to know it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from torch import nn

from models.errors import InputError
from models.families.hints import key_tree, likeliest, nearest
from models.families.smp import (
    deeplabv3,
    deeplabv3plus,
    dpt,
    fpn,
    linknet,
    manet,
    pan,
    pspnet,
    segformer,
    unet,
    unetplusplus,
    upernet,
)
from models.families.trans_unet import network as trans_unet
from models.families.unet import attention, double_conv, nested, original, residual
from models.specification import Choices, Specification

Shapes = Mapping[str, tuple[int, ...]]


class Family(Protocol):
    """Recognise and build the networks of one kind."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Return the name that people call it by."""

    @property
    def PARTS(self) -> tuple[str, ...]:  # noqa: N802
        """Return regular expressions, each of which matches the start of some of its keys."""

    def recognise(self, shapes: Shapes, choices: Choices) -> Specification | None:
        """Return the network's specification, or None when the keys are not of this family."""

    def build(self, specification: Specification) -> nn.Module:
        """Return the network, freshly initialised."""

    def ignored(self, key: str) -> str | None:
        """Return why a key of a checkpoint is not needed, or None."""

    def renamed(self, keys: Iterable[str], specification: Specification) -> dict[str, str]:
        """Return network key → checkpoint key, where they differ."""


FAMILIES: tuple[Family, ...] = (
    attention,
    double_conv,
    nested,
    original,
    residual,
    deeplabv3,
    deeplabv3plus,
    dpt,
    fpn,
    linknet,
    manet,
    pan,
    pspnet,
    segformer,
    unet,
    unetplusplus,
    upernet,
    trans_unet,
)


def recognise(path: Path, shapes: Shapes, choices: Choices) -> tuple[Family, Specification]:
    """Return the family and specification that `shapes` belong to.

    Raises InputError when no family knows the keys, naming what they look like instead, or
    when several do.
    """
    found = [(f, spec) for f in FAMILIES if (spec := f.recognise(shapes, choices)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        titles = " and ".join(specification.title for _, specification in found)
        raise InputError(f"{path.name} could be {titles}: its keys and shapes fit both.")
    known = likeliest(shapes)
    looks = f", which look like {known}" if known else ""
    near = nearest(shapes, {f.NAME: f.PARTS for f in sorted(FAMILIES, key=_commonest)})
    raise InputError(
        f"{path.name} is not a network that can be exported: its keys are {key_tree(shapes)}"
        f"{looks}. {near}{' ' if near else ''}docs/compatibility.md lists those that can; any "
        "other is exported by naming its code: MODEL=path/to/file.py:ClassName."
    )


def _commonest(family: Family) -> bool:
    """Sort the commonest family first among families that are equally near."""
    return family.NAME != "smp Unet"
