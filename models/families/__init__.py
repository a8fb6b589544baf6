"""Recognises the network that a state dict belongs to, from its keys and shapes alone.

A family is one module here. It exports

    NAME                              how people call it
    recognise(shapes, choices)        Specification, or None when the keys are not its own
    build(specification)              the network, freshly initialised
    ignored(key)                      why a key of a checkpoint is not needed, or None
    renamed(keys, specification)      {network's key: checkpoint's key} where they differ

and stands in FAMILIES. Nothing else needs to know it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from torch import nn

from models.errors import InputError
from models.families import smp_unet
from models.families.lookalikes import key_tree, likeliest
from models.specification import Choices, Specification

Shapes = Mapping[str, tuple[int, ...]]


class Family(Protocol):
    """What a module of this package offers; see the package's docstring."""

    NAME: str

    def recognise(self, shapes: Shapes, choices: Choices) -> Specification | None: ...  # noqa: D102

    def build(self, specification: Specification) -> nn.Module: ...  # noqa: D102

    def ignored(self, key: str) -> str | None: ...  # noqa: D102

    def renamed(self, keys: Iterable[str], specification: Specification) -> dict[str, str]: ...  # noqa: D102


FAMILIES: tuple[Family, ...] = (smp_unet,)


def recognise(path: Path, shapes: Shapes, choices: Choices) -> tuple[Family, Specification]:
    """The family and specification that `shapes` belong to.

    Raises InputError when no family knows the keys, naming what they look like instead.
    """
    for family in FAMILIES:
        specification = family.recognise(shapes, choices)
        if specification is not None:
            return family, specification
    known = likeliest(shapes)
    looks = f"these look like {known}" if known else f"its keys are {key_tree(shapes)}"
    names = ", ".join(family.NAME for family in FAMILIES)
    raise InputError(f"{path.name} is not a network that can be exported ({names}): {looks}.")
