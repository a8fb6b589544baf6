"""Check the weights before anything is converted: not finite, impossible, never trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.common.text import listed, shown
from models.errors import InputError

LISTED = 4
"""Keys named in a message."""


@dataclass(frozen=True)
class WeightFinding:
    """Describe something wrong with the weights; a fatal one stops the export."""

    fatal: bool
    sentence: str
    keys: tuple[str, ...]


def examine(tensors: Mapping[str, Tensor]) -> tuple[WeightFinding, ...]:
    """Return findings about a state dict, the fatal ones first.

    Not finite: any NaN or infinity. Impossible: a batch norm variance below zero; at zero a
    channel is dead. Never trained: batch norms or a head still as freshly initialised.
    """
    found = [
        _not_finite(tensors),
        _variances(tensors, below_zero=True),
        _variances(tensors, below_zero=False),
        _fresh_batch_norms(tensors),
        _fresh_head(tensors),
    ]
    return tuple(finding for finding in found if finding is not None)


def require_sound(findings: tuple[WeightFinding, ...], path: Path) -> None:
    """Raise InputError for the fatal findings."""
    fatal = [finding.sentence for finding in findings if finding.fatal]
    if fatal:
        raise InputError(
            f"{path.name} cannot be exported: {' '.join(fatal)} "
            "Take an earlier checkpoint, or train again from one that is sound."
        )


def _not_finite(tensors: Mapping[str, Tensor]) -> WeightFinding | None:
    # A sum is not finite where a term is not, and needs no mask of the tensor's size; it can also
    # overflow although all terms are finite, so its suspects are checked element by element.
    suspects = (k for k, t in tensors.items() if t.is_floating_point() and not t.sum().isfinite())
    keys = tuple(key for key in suspects if not torch.isfinite(tensors[key]).all())
    if not keys:
        return None
    return WeightFinding(
        True, f"{_count(keys, 'tensor')} NaN or infinite values ({_names(keys)}).", keys
    )


def _variances(tensors: Mapping[str, Tensor], *, below_zero: bool) -> WeightFinding | None:
    def suspicious(variance: Tensor) -> bool:
        lowest = float(variance.min()) if variance.numel() else 1.0
        return lowest < 0 if below_zero else lowest == 0

    keys = tuple(k for k, t in tensors.items() if k.endswith("running_var") and suspicious(t))
    if not keys:
        return None
    problem = "a negative variance" if below_zero else "channels of zero variance"
    sentence = f"{_count(keys, 'batch norm')} {problem} ({_names(keys)})."
    return WeightFinding(below_zero, sentence, keys)


def _fresh_batch_norms(tensors: Mapping[str, Tensor]) -> WeightFinding | None:
    """Find batch norms whose four tensors are exactly what PyTorch initialises them to."""
    norms = [key.removesuffix("running_var") for key in tensors if key.endswith("running_var")]
    fresh = tuple(norm.rstrip(".") for norm in norms if _is_fresh(tensors, norm))
    if not fresh:
        return None
    which = "every" if len(fresh) == len(norms) else f"{len(fresh)} of {len(norms)}"
    noun = "batch norm equals" if which == "every" else "batch norms equal"
    sentence = (
        f"{which} {noun} a fresh initialisation ({_names(fresh)}): "
        "these layers were never trained, or their weights never loaded."
    )
    return WeightFinding(False, sentence, fresh)


def _is_fresh(tensors: Mapping[str, Tensor], norm: str) -> bool:
    initial = {"running_mean": 0.0, "running_var": 1.0, "weight": 1.0, "bias": 0.0}
    return all(
        bool((tensors[norm + name] == value).all())
        for name, value in initial.items()
        if norm + name in tensors
    )


def _fresh_head(tensors: Mapping[str, Tensor]) -> WeightFinding | None:
    """Find a head with all biases zero and weights within Xavier's bound, as smp starts it."""
    weight = tensors.get("segmentation_head.0.weight")
    bias = tensors.get("segmentation_head.0.bias")
    if weight is None or bias is None or bool((bias != 0).any()):
        return None
    fan_out, fan_in = weight[:, 0].numel(), weight[0].numel()
    if float(weight.abs().max()) > (6 / (fan_in + fan_out)) ** 0.5:
        return None
    sentence = "the segmentation head looks freshly initialised (all biases are exactly zero)."
    return WeightFinding(
        False, sentence, ("segmentation_head.0.weight", "segmentation_head.0.bias")
    )


def _count(keys: tuple[str, ...], noun: str) -> str:
    return f"1 {noun} has" if len(keys) == 1 else f"{len(keys)} {noun}s have"


def _names(keys: tuple[str, ...]) -> str:
    return listed([shown(key) for key in keys], LISTED)
