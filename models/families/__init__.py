"""Recognises the network that a state dict belongs to, from its keys and shapes alone.

A family is one module here, found by being here. It exports

    NAME                              how people call it
    PARTS                             patterns, each of which starts some of its keys
    recognise(shapes, choices)        Specification, or None when the keys are not its own
    build(specification)              the network, freshly initialised
    ignored(key)                      why a key of a checkpoint is not needed, or None
    renamed(keys, specification)      {network's key: checkpoint's key} where they differ

Nothing else needs to know it. Other modules here have no `recognise`, and are what families share.
"""

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from torch import nn

from models.errors import InputError
from models.families.lookalikes import key_tree, likeliest, nearest
from models.specification import Choices, Specification

SCRIPTS = frozenset({"catalogue", "built_encoders"})  # run by hand; it imports all of smp

Shapes = Mapping[str, tuple[int, ...]]


class Family(Protocol):
    """What a module of this package offers; see the package's docstring."""

    NAME: str
    PARTS: tuple[str, ...]

    def recognise(self, shapes: Shapes, choices: Choices) -> Specification | None: ...  # noqa: D102

    def build(self, specification: Specification) -> nn.Module: ...  # noqa: D102

    def ignored(self, key: str) -> str | None: ...  # noqa: D102

    def renamed(self, keys: Iterable[str], specification: Specification) -> dict[str, str]: ...  # noqa: D102


def _families() -> tuple[Family, ...]:
    names = (module.name for module in pkgutil.iter_modules(__path__))
    modules = (import_module(f"{__name__}.{name}") for name in names if name not in SCRIPTS)
    return tuple(cast(Family, module) for module in modules if hasattr(module, "recognise"))


FAMILIES = _families()


def recognise(path: Path, shapes: Shapes, choices: Choices) -> tuple[Family, Specification]:
    """The family and specification that `shapes` belong to.

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
    """Sorts first what most people have, of families that are equally near."""
    return family.NAME != "smp Unet"
