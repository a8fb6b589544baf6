"""Search an opened file for everything that could be a network's weights."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from models.checkpoints.budget import STATE_DICT, Budget
from models.checkpoints.known_names import entry_reason, is_ema
from models.checkpoints.modules import class_of, flatten, is_module, layers, network_class
from models.checkpoints.pickles.numpy_values import NDARRAY
from models.checkpoints.pickles.records import BrokenFile, Inert, StoredTensor, UnusableTensor
from models.checkpoints.plain import Unconvertible, plain
from models.common.text import shown

_MOST_WEIGHTS = 20_000
"""Tensors of one network, and more than any has."""
_LONGEST_NAME = 500
"""Characters of an entry's name that are kept where it is not read."""
_MAX_DEPTH = 6
"""Entries within entries that are searched."""


@dataclass(frozen=True)
class CandidateWeights:
    """Hold a set of named tensors that may be the network.

    path     names of the entries that lead to it
    records  names -> what stands for the tensor in the file
    label    how the entry is shown to the user
    ema      whether these are averaged weights
    layers   of a module pickled whole: see `modules.layers`
    module   class of a module pickled whole, "net.Unet"
    """

    path: tuple[str, ...]
    records: dict[str, object]
    label: str
    ema: bool
    layers: dict[str, dict[str, object]] = field(default_factory=dict)
    module: str = ""

    @property
    def name(self) -> str:
        """Return the name that WEIGHTS= takes for this candidate."""
        return "/".join(self.path)


@dataclass
class FileContents:
    """Hold everything that was found in one file.

    seen     identity of an object → name of the entry where it was met first
    counted  identity and depth of an object → tensors in and below it
    """

    budget: Budget
    candidates: list[CandidateWeights] = field(default_factory=list)
    config: dict[str, object] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    seen: dict[int, str] = field(default_factory=dict)
    counted: dict[tuple[int, int], int] = field(default_factory=dict)

    def ignore(self, path: tuple[str, ...], reason: str) -> None:
        """Keep the reason why an entry is not the network."""
        self.ignored[shown(self.budget.joined(path), _LONGEST_NAME)] = reason


def find_candidates(root: object, budget: Budget) -> FileContents:
    """Return all candidates of a file, its plain facts, and the reasons against everything else.

    >>> entries = {"net": {"conv.weight": torch.zeros(2, 3)}, "epoch": 7}
    >>> contents = find_candidates(entries, Budget(100))
    >>> [candidate.name for candidate in contents.candidates], contents.config
    (['net'], {'epoch': 7})
    """
    found = FileContents(budget)
    _visit(root, (), found)
    return found


def _visit(value: object, path: tuple[str, ...], found: FileContents) -> None:
    name = found.budget.joined(path)
    if found.seen.setdefault(id(value), name) != name:
        found.ignore(path, f"the same object as {shown(found.seen[id(value)])}")
        return
    if is_module(value):
        _add_module(value, path, found)  # type: ignore[arg-type]
        return
    entries = _entries(value, found.budget)
    tensors = {k: v for k, v in entries.items() if is_tensor(v)}
    others = {k: v for k, v in entries.items() if k not in tensors}
    nested = {name: _count_tensors(child, 0, found) for name, child in others.items()}
    if len(tensors) > sum(nested.values()):
        _add_state_dict(tensors, path, found)
        nested = dict.fromkeys(nested, 0)
    else:
        for name in tensors:
            found.ignore((*path, name), "a tensor beside the weights")
    for name, child in others.items():
        _visit_entry(name, child, nested[name], path, found)


def _visit_entry(
    name: str, child: object, tensors: int, path: tuple[str, ...], found: FileContents
) -> None:
    where = (*path, name)
    reason = "" if _is_scalar(child) else _reason(name, child)
    if reason and not (reason == "callback state" and tensors):
        found.ignore(where, reason)
    elif tensors == 0 or len(where) > _MAX_DEPTH:
        try:
            found.config.setdefault(name, plain(child, found.budget))
        except Unconvertible:
            found.ignore(where, "no weights in it")
    else:
        before = len(found.candidates)
        _visit(child, where, found)
        if reason:  # of a callback's state, only averaged weights count
            averaged = [c for c in found.candidates[before:] if c.ema]
            found.candidates[before:] = averaged
            found.ignore(where, reason)


def _add_module(module: Inert, path: tuple[str, ...], found: FileContents) -> None:
    budget = found.budget
    records = flatten(module, budget)
    kind = f"module pickled whole: {class_of(module, budget)}"
    if module.cls.module.startswith("__torch__"):
        kind = f"scripted module: {class_of(module, budget)}"
    label = f"{shown('/'.join(path))} ({kind})" if path else kind
    averaged = _is_averaged(path, records) or is_ema(module.cls.name)
    if records:
        facts, cls = layers(module, budget), network_class(module, budget)
        _add(CandidateWeights(path, records, label, averaged, facts, cls), found)
    attributes = budget.visited(module.attributes())
    if "_hparams" in attributes:
        attributes["hyper_parameters"] = attributes["_hparams"]
    public = {name: v for name, v in attributes.items() if not name.startswith("_")}
    try:
        found.config.setdefault("module", plain(public, budget))
    except Unconvertible:
        return


def _add(candidate: CandidateWeights, found: FileContents) -> None:
    count = len(candidate.records)
    if count > _MOST_WEIGHTS:
        where = f"its entry '{candidate.label}'" if candidate.label else "it"
        raise BrokenFile(f"{where} has {count:,} tensors, over {_MOST_WEIGHTS:,}", STATE_DICT)
    found.candidates.append(candidate)


def _add_state_dict(tensors: dict[str, object], path: tuple[str, ...], found: FileContents) -> None:
    name = shown("/".join(path))
    if all(_rank(value) < 2 for value in tensors.values()):
        found.ignored[name or "the whole file"] = "no weights of a network: only single numbers"
    elif all(key.isdigit() for key in tensors):
        found.ignored[name or "the whole file"] = "a list of weights without names"
    else:
        averaged = _is_averaged(path, tensors)
        _add(CandidateWeights(path, tensors, name, averaged), found)


def _is_averaged(path: tuple[str, ...], records: dict[str, object]) -> bool:
    return "n_averaged" in records or any(is_ema(name) for name in path)


def _entries(value: object, budget: Budget) -> dict[str, object]:
    """Return the children of a container by name; none for a scalar."""
    return {str(key): child for key, child in _children(value, budget)}


def _children(value: object, budget: Budget) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, Inert):
        value = value.mapping or value.items or value.attributes()
    if isinstance(value, list | tuple):
        yield from enumerate(budget.visited(value))
    elif isinstance(value, dict):
        yield from ((k, v) for k, v in budget.visited(value).items() if isinstance(k, str | int))


def is_tensor(value: object) -> bool:
    """Return whether a value stands for a tensor or an array of numbers."""
    if isinstance(value, Inert):
        return value.cls == NDARRAY
    return isinstance(value, torch.Tensor | StoredTensor | UnusableTensor)


def _rank(value: object) -> int:
    if isinstance(value, torch.Tensor):
        return value.ndim
    if isinstance(value, StoredTensor):
        return len(value.size)
    if isinstance(value, Inert) and isinstance(value.state, tuple) and len(value.state) == 5:
        shape = value.state[1]
        return len(shape) if isinstance(shape, tuple) else 0
    return 2  # an unusable tensor may well be a weight


def _count_tensors(value: object, depth: int, found: FileContents) -> int:
    """Count the tensors in and below a value; those of an object that contains itself once."""
    if is_tensor(value):
        return 1
    if depth > _MAX_DEPTH:
        return 0
    place = (id(value), depth)
    if place not in found.counted:
        found.counted[place] = 0
        if is_module(value):
            count = len(flatten(value, found.budget)) or 1  # type: ignore[arg-type]
        else:
            children = (child for _, child in _children(value, found.budget))
            others = (child for child in children if not _is_scalar(child))
            count = sum(_count_tensors(child, depth + 1, found) for child in others)
        found.counted[place] = count
    return found.counted[place]


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _has(value: object, name: str) -> bool:
    """Return whether a value has an entry or an attribute of this name."""
    if isinstance(value, Inert):
        return name in value.mapping if value.mapping else value.attribute(name) is not None
    return isinstance(value, dict) and name in value


def _reason(name: str, value: object) -> str:
    """Return why an entry is no network, by its structure or its name; "" if it may be one."""
    if _has(value, "param_groups") and _has(value, "state"):
        return "optimizer state"
    if _has(value, "last_epoch") and not is_module(value):
        return "learning rate schedule"
    return entry_reason(name)
