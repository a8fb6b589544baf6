"""Normalise a state dict: a network's own key names, and its weights as float32.

A wrapper (DataParallel, torch.compile, a Lightning module's attribute) puts a component in front
of every key. It comes off only there and only as a whole component: smp's timm encoders have
`encoder.model.…` keys, in which `model.` belongs to the network.
"""

import torch

from models.checkpoints.checkpoint import Checkpoint, StateDict
from models.checkpoints.containers.raw_file import FLOATS, FLOATS8
from models.checkpoints.known_names import PARTS, WRAPPERS, buffer_reason
from models.common.text import shown
from models.errors import InputError

_ANCHORS = ("encoder", "decoder", "segmentation_head")
_LEAVES = frozenset(
    "weight bias running_mean running_var num_batches_tracked gamma beta scale".split()
)


def normalise(checkpoint: Checkpoint, prefix: str | None = None) -> StateDict:
    """Return the network's state dict without wrapper prefixes, floating-point tensors as float32.

    Where the network is known, `prefix` is what stands before its keys, and is not looked for.
    The prefix is what stands before `encoder.` and `decoder.` where keys have both; otherwise
    leading components shared by all keys come off while they are wrappers: a known wrapper name,
    or any other name that is no part of a network (`encoder`, `backbone`, …) and does not hold
    just one layer or a numbered sequence. Keys of losses and metrics do not count.

    Raises InputError naming the tensor if one of the network is quantized, sparse, complex or
    otherwise unusable, or holds a float64 value beyond float32.
    """
    keys = [*checkpoint.tensors, *checkpoint.unusable]
    prefix = wrapper_prefix(keys) if prefix is None else prefix
    outside = {k: buffer_reason(_without(k, prefix)) for k in keys if _is_outside(k, prefix)}
    _refuse_unusable(checkpoint, outside)
    kept = {k[len(prefix) :]: k for k in checkpoint.tensors if k not in outside}
    casts: dict[str, str] = {}
    tensors: dict[str, torch.Tensor] = {}
    for name, key in kept.items():
        tensor = checkpoint.tensors[key]
        tensors[name] = _as_float32(checkpoint, key, tensor)
        if tensors[name].dtype != tensor.dtype:
            casts[name] = str(tensor.dtype).removeprefix("torch.")
    layers = {
        path[len(prefix) :]: facts
        for path, facts in checkpoint.layers.items()
        if path.startswith(prefix)
    }
    return StateDict(tensors, kept, prefix, casts, outside, layers)


def wrapper_prefix(keys: list[str]) -> str:
    """Return the text in front of a network's own keys.

    >>> wrapper_prefix(["model.encoder.model.stem.weight", "model.decoder.a.weight"])
    'model.'
    >>> wrapper_prefix(["encoder.conv1.weight", "encoder.bn1.weight"])
    ''
    """
    anchored = _anchored(keys)
    if anchored is not None:
        return anchored
    prefix = ""
    while True:
        behind = [k[len(prefix) :] for k in keys if k.startswith(prefix)]
        network = [k for k in behind if not buffer_reason(k)]
        first = {k.partition(".")[0] for k in network}
        if len(first) != 1 or not _is_wrapper(first.copy().pop(), network):
            return prefix
        prefix += f"{first.pop()}."


def _anchored(keys: list[str]) -> str | None:
    """Return what stands before both `encoder.` and `decoder.`, at the shortest such place."""
    fronts: dict[str, set[str]] = {}
    for key in keys:
        parts = key.split(".")
        found = next((i for i, part in enumerate(parts[:-1]) if part in _ANCHORS), None)
        if found is not None:
            front = "".join(f"{part}." for part in parts[:found])
            fronts.setdefault(front, set()).add(parts[found])
    complete = [front for front, seen in fronts.items() if {"encoder", "decoder"} <= seen]
    return min(complete, key=len) if complete else None


def _is_wrapper(component: str, keys: list[str]) -> bool:
    behind = {key.partition(".")[2].partition(".")[0] for key in keys}
    if component in PARTS or component.isdigit() or "" in behind or behind <= _LEAVES:
        return False
    if not any(key.count(".") > 1 for key in keys):
        return False  # one layer's parameters follow
    return component in WRAPPERS or not all(part.isdigit() for part in behind)


def _is_outside(key: str, prefix: str) -> bool:
    return not key.startswith(prefix) or bool(buffer_reason(_without(key, prefix)))


def _without(key: str, prefix: str) -> str:
    """Return `key` without the leading components that it shares with the prefix.

    AveragedModel's counter is `model.n_averaged` beside `model.module.…`.
    """
    for part in prefix.split(".")[:-1]:
        if not key.startswith(f"{part}."):
            break
        key = key[len(part) + 1 :]
    return key


def _refuse_unusable(checkpoint: Checkpoint, outside: dict[str, str]) -> None:
    bad = {k: reason for k, reason in checkpoint.unusable.items() if k not in outside}
    if bad:
        key, reason = next(iter(bad.items()))
        more = f" and {len(bad) - 1} more tensors" if len(bad) > 1 else ""
        raise InputError(
            f"{checkpoint.path.name}: {shown(key)}{more} cannot be used: {reason}. "
            "Save the network with dense float32 weights."
        )


def _as_float32(checkpoint: Checkpoint, key: str, tensor: torch.Tensor) -> torch.Tensor:
    kind = str(tensor.dtype).removeprefix("torch.")
    if kind not in (*FLOATS, *FLOATS8):
        return tensor.contiguous()
    cast = tensor.to(torch.float32).contiguous()
    if kind == "float64" and bool((cast.isinf() & tensor.isfinite()).any()):
        raise InputError(
            f"{checkpoint.path.name}: {shown(key)} holds a float64 value beyond the range of "
            "float32: train or save the network in float32."
        )
    return cast
