"""Gather from positions and scatter to them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork.layers.reduction import require_axis
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer

_Combine = Callable[[Tensor, int, Tensor, Tensor], Tensor]


def _update(x: Tensor, axis: int, index: Tensor, updates: Tensor) -> Tensor:
    return x.scatter(axis, index, updates)


def _reducing(kind: str, change: Callable[[Tensor], Tensor] = lambda updates: updates) -> _Combine:
    return lambda x, axis, index, updates: x.scatter_reduce(axis, index, change(updates), kind)


_MODES: tuple[_Combine, ...] = (
    _update,
    _reducing("sum"),
    _reducing("sum", torch.neg),
    _reducing("prod"),
    _reducing("prod", torch.reciprocal),
    _reducing("amax"),
    _reducing("amin"),
)


@layer("gather", inputs=2)
def gather(params: Any, _: Arity) -> Compute:
    """Take slices of the first input along an axis at the positions in the second."""
    axis = params.axis

    def apply(x: Tensor, indices: Tensor) -> Tensor:
        require_axis(x, axis)
        at = axis % x.dim()
        require_size((*x.shape[:at], *indices.shape, *x.shape[at + 1 :]), "its result")
        taken = x.index_select(at, _positions(indices, x.shape[at]).reshape(-1))
        return taken.reshape(*x.shape[:at], *indices.shape, *x.shape[at + 1 :])

    return apply


@layer("gatherND", inputs=2)
def gather_nd(_: Any, __: Arity) -> Compute:
    """Take slices of the first input at the positions in the last dimension of the second."""

    def apply(x: Tensor, indices: Tensor) -> Tensor:
        rows, flat, depth = _rows(x, indices)
        require_size((*flat.shape, rows.shape[1]), "its result")
        return rows[flat].reshape(*indices.shape[:-1], *x.shape[depth:])

    return apply


@layer("gatherAlongAxis", inputs=2)
def gather_along_axis(params: Any, _: Arity) -> Compute:
    """Take elements of the first input, whose position along an axis is in the second."""
    axis = params.axis

    def apply(x: Tensor, indices: Tensor) -> Tensor:
        require_axis(x, axis)
        return x.gather(axis, _positions(indices, x.shape[axis]))

    return apply


@layer("scatter", inputs=3)
def scatter(params: Any, _: Arity) -> Compute:
    """Combine slices into the first input along an axis, at the positions in the second."""
    axis, combine = params.axis, choose(_MODES, params.mode, "mode")

    def apply(x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        require_axis(x, axis)
        at = axis % x.dim()
        index = _positions(indices, x.shape[at]).reshape(-1)
        slices = updates.reshape(*x.shape[:at], index.numel(), *x.shape[at + 1 :])
        shape = [-1 if each == at else 1 for each in range(x.dim())]
        result: Tensor = combine(x, at, index.reshape(shape).expand(slices.shape), slices)
        return result

    return apply


@layer("scatterND", inputs=3)
def scatter_nd(params: Any, _: Arity) -> Compute:
    """Combine slices into the first input, at the positions in the second's last dimension."""
    combine = choose(_MODES, params.mode, "mode")

    def apply(x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        rows, flat, _ = _rows(x, indices)
        slices = updates.reshape(flat.numel(), rows.shape[1])
        result: Tensor = combine(rows, 0, flat[:, None].expand(slices.shape), slices)
        return result.reshape(x.shape)

    return apply


@layer("scatterAlongAxis", inputs=3)
def scatter_along_axis(params: Any, _: Arity) -> Compute:
    """Combine elements into the first input; their position along an axis is in the second."""
    axis, combine = params.axis, choose(_MODES, params.mode, "mode")

    def apply(x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        require_axis(x, axis)
        result: Tensor = combine(x, axis, _positions(indices, x.shape[axis]), updates)
        return result

    return apply


def _rows(x: Tensor, indices: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return x as rows, the row that each index names, and how many axes it names."""
    depth = indices.shape[-1]
    if not 1 <= depth <= x.dim():
        raise InputError(f"It has positions of {depth} numbers for the shape {list(x.shape)}.")
    positions = indices.reshape(-1, depth)
    flat = torch.zeros(len(positions), dtype=torch.int64)
    for axis in range(depth):
        flat = flat * x.shape[axis] + _positions(positions[:, axis], x.shape[axis])
    rows = x.reshape(x.shape[:depth].numel(), x.shape[depth:].numel())
    return rows, flat, depth


def _positions(indices: Tensor, size: int) -> Tensor:
    """Return positions as integers; negative ones count from the end.

    Raises:
        InputError: if one is out of range.
    """
    positions = indices.long()
    positions = torch.where(positions < 0, positions + size, positions)
    if positions.numel() and not 0 <= int(positions.min()) <= int(positions.max()) < size:
        raise InputError(f"It has a position beyond the {size} elements of its axis.")
    return positions
