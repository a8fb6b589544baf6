"""Find the weights of a module that was pickled whole, without its class."""

from collections.abc import Iterator

from models.checkpoints.budget import Budget
from models.checkpoints.pickles.records import BrokenFile, Inert, StoredTensor, UnusableTensor
from models.common.text import shown

MAX_DEPTH = 60
CLASS = "class"
INTERPOLATION = "interpolation_mode"
_LONG = 8
_LONGEST = 100
"""Characters of a layer's setting that is text, and bits of one that is a whole number."""


def is_module(value: object) -> bool:
    """Return whether an inert object was a `torch.nn.Module` or a scripted module."""
    if not isinstance(value, Inert):
        return False
    if value.cls.module.startswith("__torch__"):
        return True
    return all(isinstance(value.attribute(name), dict) for name in ("_modules", "_parameters"))


def flatten(module: Inert, budget: Budget) -> dict[str, object]:
    """Return the names and records of a module tree, in the order of `state_dict()`.

    Buffers that were registered with `persistent=False` are left out, as torch leaves them out.
    """
    found: dict[str, object] = {}
    for prefix, part in _walk(module, budget):
        for name, value in _parts(part, budget)[0].items():
            found[budget.joined((*prefix, name), ".")] = value
    return found


def layers(module: Inert, budget: Budget) -> dict[str, dict[str, object]]:
    """Return each torch layer's class and plain attributes by its path: what shapes cannot tell.

    Only layers of `torch.nn`, whose attributes have a settled meaning, and the mode in which a
    decoder block of smp resizes. A scripted module keeps these in its code, which is not read.
    """
    found: dict[str, dict[str, object]] = {}
    for prefix, part in _walk(module, budget):
        attributes = budget.visited(part.attributes())
        settings = {k: v for k, v in attributes.items() if is_setting(k, v)}
        if part.cls.module.startswith("torch.nn.modules.") or INTERPOLATION in settings:
            path = budget.joined(prefix, ".")
            if not all(map(_is_short, settings.values())):
                raise BrokenFile(f"its layer {shown(path)} has settings that no layer can have")
            found[path] = {**settings, CLASS: shown(part.cls)}
    return found


def is_setting(name: str, value: object) -> bool:
    """Return whether an attribute of a layer is a plain setting, as its stride or its epsilon."""
    if name.startswith("_") or name == "training":
        return False
    values = value if isinstance(value, tuple | list) and len(value) < _LONG else (value,)
    return all(isinstance(each, bool | int | float | str) for each in values)


def _is_short(value: object) -> bool:
    """Return whether a setting is of a size that a message can quote."""
    values = value if isinstance(value, tuple | list) else (value,)
    return all(
        (each.bit_length() if isinstance(each, int) else len(str(each))) <= _LONGEST
        for each in values
    )


def _walk(
    module: Inert, budget: Budget, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Inert]]:
    """Yield the module and all below it, each with the names that lead to it.

    A module that is used twice is yielded twice, as `state_dict()` does.
    """
    if len(path) > MAX_DEPTH:
        raise BrokenFile("its modules contain each other without end")
    yield path, module
    for name, child in _parts(module, budget)[1].items():
        yield from _walk(child, budget, (*path, name))


def _parts(module: Inert, budget: Budget) -> tuple[dict[str, object], dict[str, Inert]]:
    """Return a module's own tensors, parameters and buffers, and its children."""
    attributes = budget.visited(module.attributes())
    if _is_scripted(module):
        return _scripted(attributes)
    return _pickled(attributes, budget)


def _is_scripted(module: Inert) -> bool:
    return module.cls.module.startswith("__torch__")


def _scripted(attributes: dict[str, object]) -> tuple[dict[str, object], dict[str, Inert]]:
    own: dict[str, object] = {
        k: v for k, v in attributes.items() if isinstance(v, StoredTensor | UnusableTensor)
    }
    return own, {k: v for k, v in attributes.items() if isinstance(v, Inert) and _is_scripted(v)}


def _pickled(
    attributes: dict[str, object], budget: Budget
) -> tuple[dict[str, object], dict[str, Inert]]:
    parameters, buffers, children = (
        _named(budget.visited(mapping)) if isinstance(mapping, dict) else {}
        for mapping in map(attributes.get, ("_parameters", "_buffers", "_modules"))
    )
    listed = attributes.get("_non_persistent_buffers_set")
    names = budget.visited(listed) if isinstance(listed, list) else []
    left_out = {name for name in names if isinstance(name, str)}
    own = {**parameters, **{k: v for k, v in buffers.items() if k not in left_out}}
    return own, {k: v for k, v in children.items() if isinstance(v, Inert)}


def _named(mapping: dict[object, object]) -> dict[str, object]:
    return {k: v for k, v in mapping.items() if isinstance(k, str) and v is not None}


def class_of(module: Inert, budget: Budget) -> str:
    """Return the class to show to the user; for a mere wrapper, with that of the network inside.

    >>> from models.checkpoints.pickles.records import Global
    >>> class_of(Inert(Global("net", "Unet")), Budget(100))
    'net.Unet'
    """
    name, inside = shown(str(module.cls).removeprefix("__torch__.")), network_class(module, budget)
    return name if inside == name else f"{name} around {inside}"


def network_class(module: Inert, budget: Budget) -> str:
    """Return the class of a network, or of the one inside, where `module` is a mere wrapper."""
    _, children = _parts(module, budget)
    if list(children) in (["module"], ["_orig_mod"]):
        (module,) = children.values()
    return shown(str(module.cls).removeprefix("__torch__."))
