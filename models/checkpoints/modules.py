"""Weights of a module that was pickled whole, found without its class."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from models.checkpoints.records import BrokenFile, Inert, StoredTensor, UnusableTensor

MAX_DEPTH: Final = 60
MAX_MODULES: Final = 100_000
CLASS: Final = "class"
INTERPOLATION: Final = "interpolation_mode"
_LONG: Final = 8


def is_module(value: object) -> bool:
    """Whether an inert object was a `torch.nn.Module` or a scripted module."""
    if not isinstance(value, Inert):
        return False
    if value.cls.module.startswith("__torch__"):
        return True
    attributes = value.attributes()
    return isinstance(attributes.get("_modules"), dict) and isinstance(
        attributes.get("_parameters"), dict
    )


def flatten(module: Inert) -> dict[str, object]:
    """Names and records of a module tree, in the order of `state_dict()`.

    Buffers that were registered with `persistent=False` are left out, as torch leaves them out.
    """
    return {
        prefix + name: value
        for prefix, part in _walk(module, "", itertools.count(), 0)
        for name, value in (_scripted(part) if _is_scripted(part) else _pickled(part))[0].items()
    }


def layers(module: Inert) -> dict[str, dict[str, object]]:
    """Each torch layer's path -> its class and plain attributes: what shapes cannot tell.

    Only layers of `torch.nn`, whose attributes have a settled meaning, and the mode in which a
    decoder block of smp resizes. A scripted module keeps these in its code, which is not read.
    """
    found: dict[str, dict[str, object]] = {}
    for prefix, part in _walk(module, "", itertools.count(), 0):
        settings = {k: v for k, v in part.attributes().items() if is_setting(k, v)}
        if part.cls.module.startswith("torch.nn.modules.") or INTERPOLATION in settings:
            found[prefix.rstrip(".")] = {**settings, CLASS: str(part.cls)}
    return found


def is_setting(name: str, value: object) -> bool:
    """Return whether an attribute of a layer is a plain setting, as its stride or its epsilon."""
    if name.startswith("_") or name == "training":
        return False
    values = value if isinstance(value, tuple | list) and len(value) < _LONG else (value,)
    return all(isinstance(each, bool | int | float | str) for each in values)


def _walk(
    module: Inert, prefix: str, visited: Iterator[int], depth: int
) -> Iterator[tuple[str, Inert]]:
    """The module and all below it, each with the text in front of its names."""
    # A module that is used twice is walked twice, as in state_dict(): a few crafted ones that
    # contain each other would make a tree without end.
    if depth > MAX_DEPTH or next(visited) > MAX_MODULES:
        raise BrokenFile("its modules contain each other without end")
    yield prefix, module
    children = (_scripted(module) if _is_scripted(module) else _pickled(module))[1]
    for name, child in children.items():
        yield from _walk(child, f"{prefix}{name}.", visited, depth + 1)


def _is_scripted(module: Inert) -> bool:
    return module.cls.module.startswith("__torch__")


def _scripted(module: Inert) -> tuple[dict[str, object], dict[str, Inert]]:
    """A TorchScript module's attributes: tensors are its parameters and buffers."""
    attributes = module.attributes()
    own: dict[str, object] = {
        k: v for k, v in attributes.items() if isinstance(v, StoredTensor | UnusableTensor)
    }
    return own, {k: v for k, v in attributes.items() if isinstance(v, Inert) and _is_scripted(v)}


def _pickled(module: Inert) -> tuple[dict[str, object], dict[str, Inert]]:
    attributes = module.attributes()
    left_out = attributes.get("_non_persistent_buffers_set")
    left_out = left_out if isinstance(left_out, set | frozenset | list) else ()
    own = {
        **_named(attributes.get("_parameters")),
        **{k: v for k, v in _named(attributes.get("_buffers")).items() if k not in left_out},
    }
    children = _named(attributes.get("_modules"))
    return own, {k: v for k, v in children.items() if isinstance(v, Inert)}


def _named(mapping: object) -> dict[str, object]:
    items = mapping.items() if isinstance(mapping, dict) else ()
    return {key: value for key, value in items if isinstance(key, str) and value is not None}


def class_of(module: Inert) -> str:
    """The class to show: of the network inside, where the module is a mere wrapper.

    >>> from models.checkpoints.records import Global
    >>> class_of(Inert(Global("net", "Unet")))
    'net.Unet'
    """
    _, children = _scripted(module) if _is_scripted(module) else _pickled(module)
    name = str(module.cls).removeprefix("__torch__.")
    if list(children) in (["module"], ["_orig_mod"]):
        (inner,) = children.values()
        return f"{name} around {str(inner.cls).removeprefix('__torch__.')}"
    return name
