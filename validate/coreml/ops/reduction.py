"""Reduce axes: sums, norms, extremes and their positions."""

from collections.abc import Callable

import torch
from torch import Tensor

from validate.coreml.registry import Ints, op

_Reduction = Callable[[Tensor, tuple[int, ...]], Tensor]
"""Reduces the given axes, which it keeps with size 1."""


def _reduce(name: str, function: _Reduction, *, exact: bool = False) -> None:
    def apply(x: Tensor, axes: Ints | None = None, keep_dims: bool = False) -> Tensor:
        chosen = range(x.dim()) if axes is None else axes
        dims = tuple(sorted({axis % max(x.dim(), 1) for axis in chosen}))
        if not dims:  # no axis is reduced: reduce one of size 1 that is added for it
            return function(x[None], (0,))[0].to(x.dtype)
        result = function(x, dims).to(x.dtype)
        return result if keep_dims else result.squeeze(dims)

    op(name, exact=exact)(apply)


def _product(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    for axis in axes:
        x = x.prod(axis, keepdim=True)
    return x


def _sum(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return x.sum(axes, keepdim=True)


_reduce("reduce_sum", _sum)
_reduce("reduce_mean", lambda x, axes: x.float().mean(axes, keepdim=True))
_reduce("reduce_prod", _product)
_reduce("reduce_max", lambda x, axes: x.amax(axes, keepdim=True), exact=True)
_reduce("reduce_min", lambda x, axes: x.amin(axes, keepdim=True), exact=True)
_reduce("reduce_l1_norm", lambda x, axes: _sum(x.abs(), axes))
_reduce("reduce_l2_norm", lambda x, axes: _sum(x.square(), axes).sqrt())
_reduce("reduce_sum_square", lambda x, axes: _sum(x.square(), axes))
_reduce("reduce_log_sum", lambda x, axes: _sum(x, axes).log())
_reduce("reduce_log_sum_exp", lambda x, axes: x.float().logsumexp(axes, keepdim=True))


def _position(name: str, function: Callable[[Tensor, int, bool], Tensor]) -> None:
    def apply(
        x: Tensor,
        axis: int = -1,
        keep_dims: bool = False,
        output_dtype: str = "int32",  # noqa: ARG001 (int32 holds either)
    ) -> Tensor:
        return function(x, axis, keep_dims).to(torch.int32)

    op(name)(apply)


_position("reduce_argmax", torch.argmax)
_position("reduce_argmin", torch.argmin)
