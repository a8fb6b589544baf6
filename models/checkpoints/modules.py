"""Find the weights of a module that was pickled whole, without its class."""

import itertools
from collections.abc import Iterator

from models.checkpoints.pickles.records import BrokenFile, Inert, StoredTensor, UnusableTensor

MAX_DEPTH = 60
MAX_MODULES = 100_000
CLASS = "class"
INTERPOLATION = "interpolation_mode"
_LONG = 8


def is_module(value: object) -> bool:
    """Return whether an inert object was a `torch.nn.Module` or a scripted module."""
    if not isinstance(value, Inert):
        return False
    if value.cls.module.startswith("__torch__"):
        return True
    attributes = value.attributes()
    return isinstance(attributes.get("_modules"), dict) and isinstance(
        attributes.get("_parameters"), dict
    )


def flatten(module: Inert) -> dict[str, object]:
    """Return the names and records of a module tree, in the order of `state_dict()`.

    Buffers that were registered with `persistent=False` are left out, as torch leaves them out.
    """
    return {
        prefix + name: value
        for prefix, part in _walk(module, "", itertools.count(), 0)
        for name, value in (_scripted(part) if _is_scripted(part) else _pickled(part))[0].items()
    }


def layers(module: Inert) -> dict[str, dict[str, object]]:
    """Return each torch layer's class and plain attributes by its path: what shapes cannot tell.

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
    """Yield the module and all below it, each with the text in front of its names.

    A module that is used twice is yielded twice, as `state_dict()` does.
    """
    # Modules that contain each other would be walked for ever.
    if depth > MAX_DEPTH or next(visited) > MAX_MODULES:
        raise BrokenFile("its modules contain each other without end")
    yield prefix, module
    children = (_scripted(module) if _is_scripted(module) else _pickled(module))[1]
    for name, child in children.items():
        yield from _walk(child, f"{prefix}{name}.", visited, depth + 1)


def _is_scripted(module: Inert) -> bool:
    return module.cls.module.startswith("__torch__")


def _scripted(module: Inert) -> tuple[dict[str, object], dict[str, Inert]]:
    """Return a TorchScript module's tensors (parameters and buffers) and its children."""
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
    """Return the class to show to the user; for a mere wrapper, with that of the network inside.

    >>> from models.checkpoints.pickles.records import Global
    >>> class_of(Inert(Global("net", "Unet")))
    'net.Unet'
    """
    name, inside = str(module.cls).removeprefix("__torch__."), network_class(module)
    return name if inside == name else f"{name} around {inside}"


def network_class(module: Inert) -> str:
    """Return the class of a network, or of the one inside, where `module` is a mere wrapper."""
    _, children = _scripted(module) if _is_scripted(module) else _pickled(module)
    if list(children) in (["module"], ["_orig_mod"]):
        (module,) = children.values()
    return str(module.cls).removeprefix("__torch__.")
