"""Reduce axes: the layers of any rank, and the classic ones of channels and space."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer, operation

_REDUCTIONS = {
    "reduceL1": "reduce_l1_norm",
    "reduceL2": "reduce_l2_norm",
    "reduceMax": "reduce_max",
    "reduceMin": "reduce_min",
    "reduceSum": "reduce_sum",
    "reduceProd": "reduce_prod",
    "reduceMean": "reduce_mean",
    "reduceLogSum": "reduce_log_sum",
    "reduceSumSquare": "reduce_sum_square",
    "reduceLogSumExp": "reduce_log_sum_exp",
}
_CLASSIC = (
    "reduce_sum",
    "reduce_mean",
    "reduce_prod",
    None,  # LOGSUM: the sum of logarithms, unlike reduceLogSum
    "reduce_sum_square",
    "reduce_l1_norm",
    "reduce_l2_norm",
    "reduce_max",
    "reduce_min",
    "reduce_argmax",
)


def _register_reductions() -> None:
    for name, mil in _REDUCTIONS.items():
        layer(name)(partial(_reduction, operation(mil)))


def _reduction(function: Compute, params: Any, _: Arity) -> Compute:
    keep = params.keepDims
    if params.reduceAll or not params.axes:
        return lambda x: function(x, None, keep)
    axes = tuple(params.axes)

    def apply(x: Tensor) -> Tensor:
        for axis in axes:
            require_axis(x, axis)
        result: Tensor = function(x, axes, keep)
        return result

    return apply


@layer("reduce")
def reduce(params: Any, _: Arity) -> Compute:
    """Reduce channels, height, width or all three, which keep the size 1."""
    axes = choose(((-3, -2, -1), (-2, -1), (-3,), (-2,), (-1,)), params.axis, "axis")
    mode, epsilon = params.mode, params.epsilon or 1e-6
    name = choose(_CLASSIC, mode, "mode")
    if name == "reduce_argmax" and len(axes) > 1:
        raise InputError("It takes the position of the largest value along several axes.")
    function = _sum_of_logarithms(epsilon) if name is None else operation(name)
    chosen = axes[0] if name == "reduce_argmax" else axes

    def apply(x: Tensor) -> Tensor:
        require_axis(x, axes[0])
        result: Tensor = function(x, chosen, True)
        return result

    return apply


def _sum_of_logarithms(epsilon: float) -> Callable[[Tensor, tuple[int, ...], bool], Tensor]:
    return lambda x, axes, keep: torch.log(x + epsilon).sum(axes, keepdim=keep)


def require_axis(x: Tensor, axis: int) -> None:
    """Refuse an axis that the tensor does not have.

    Raises:
        InputError: if it is out of range.
    """
    if not -x.dim() <= axis < x.dim():
        raise InputError(f"It has the axis {axis} for the shape {list(x.shape)}.")


@layer("argMax")
def arg_max(params: Any, _: Arity) -> Compute:
    """Return the position of the largest value along an axis."""
    axis, keep = params.axis, not params.removeDim
    return lambda x: x.argmax(axis, keep)


@layer("argMin")
def arg_min(params: Any, _: Arity) -> Compute:
    """Return the position of the smallest value along an axis."""
    axis, keep = params.axis, not params.removeDim
    return lambda x: x.argmin(axis, keep)


_register_reductions()
