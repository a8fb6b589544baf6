"""Put values to places that are computed: scatter, scatter_along_axis and scatter_nd.

Each reduces to one step along one axis, with an index for every value.
"""

import math

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.ops.gather import flat_indices
from validate.coreml.ops.indices import axis_of, out_of_range, require_in_range, wrapped
from validate.coreml.registry import op

_REDUCTIONS = {"mul": "prod", "max": "amax", "min": "amin"}


@op("scatter")
def scatter(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add"
) -> Tensor:
    """Put slices along an axis; updates are `D[:axis] + N + D[axis + 1:]`."""
    axis = axis_of(data, axis)
    return _scatter(data, wrapped(indices, data.shape[axis]), updates, axis, mode)


@op("scatter", since=17)
def scatter_ios17(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Tensor:
    """Put slices as scatter does, without negative indices."""
    axis = axis_of(data, axis)
    indices = _or_nowhere(indices, data.shape[axis], validate=validate_indices)
    return _scatter(data, indices, updates, axis, mode)


@op("scatter_along_axis")
def scatter_along_axis(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add"
) -> Tensor:
    """Put single values along an axis; updates have the shape of the indices."""
    axis = axis_of(data, axis)
    return _put(data, axis, wrapped(indices, data.shape[axis]), updates, mode)


@op("scatter_along_axis", since=17)
def scatter_along_axis_ios17(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Tensor:
    """Put single values as scatter_along_axis does, without negative indices."""
    axis = axis_of(data, axis)
    indices = _or_nowhere(indices, data.shape[axis], validate=validate_indices)
    return _put(data, axis, indices, updates, mode)


@op("scatter_nd")
def scatter_nd(data: Tensor, indices: Tensor, updates: Tensor, mode: str = "add") -> Tensor:
    """Put slices at positions that the last dimension of the indices holds.

    Updates are `N[:-1] + D[N[-1]:]`.
    """
    sizes = _sizes(data, indices)
    return _scatter_nd(data, flat_indices(indices, sizes, wrapped), updates, len(sizes), mode)


@op("scatter_nd", since=17)
def scatter_nd_ios17(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    mode: str = "add",
    validate_indices: bool = False,
) -> Tensor:
    """Put slices as scatter_nd does, without negative indices."""
    sizes = _sizes(data, indices)
    indices = indices.long()
    outside = torch.zeros(indices.shape[:-1], dtype=torch.bool)
    for number, size in enumerate(sizes):
        outside |= out_of_range(indices[..., number], size)
        if validate_indices:
            require_in_range(indices[..., number], size)
    flat = flat_indices(indices, sizes, lambda each, size: each.clamp(0, size))
    flat = torch.where(outside, math.prod(sizes), flat)
    return _scatter_nd(data, flat, updates, len(sizes), mode)


def _or_nowhere(indices: Tensor, size: int, *, validate: bool) -> Tensor:
    """Return indices with those out of range replaced by `size`, which is no place."""
    indices = indices.long()
    if validate:
        require_in_range(indices, size)
    return torch.where(out_of_range(indices, size), size, indices)


def _sizes(data: Tensor, indices: Tensor) -> tuple[int, ...]:
    """Return the dimensions of the data that scatter_nd's indices go through."""
    depth = indices.shape[-1] if indices.dim() else -1
    if not 0 <= depth <= data.dim():
        raise InputError(f"It has indices of {depth} numbers for data of rank {data.dim()}.")
    return tuple(data.shape[:depth])


def _scatter(data: Tensor, indices: Tensor, updates: Tensor, axis: int, mode: str) -> Tensor:
    count = indices.numel()
    index = indices.reshape(count, *(1,) * (data.dim() - axis - 1))
    shape = (*data.shape[:axis], count, *data.shape[axis + 1 :])
    return _put(data, axis, index.expand(shape), updates.reshape(shape), mode)


def _scatter_nd(data: Tensor, flat: Tensor, updates: Tensor, depth: int, mode: str) -> Tensor:
    places, rest = math.prod(data.shape[:depth]), math.prod(data.shape[depth:])
    index = flat.reshape(flat.numel(), 1).expand(-1, rest)
    rows = updates.reshape(flat.numel(), rest)
    return _put(data.reshape(places, rest), 0, index, rows, mode).reshape(data.shape)


def _put(data: Tensor, axis: int, index: Tensor, updates: Tensor, mode: str) -> Tensor:
    """Combine each update with the value at its index along an axis.

    An index equal to the size is dropped: it falls into one more slice, which is cut off again.
    """
    size = data.shape[axis]
    if index.shape != updates.shape:
        raise InputError(f"It has updates {list(updates.shape)} for indices {list(index.shape)}.")
    if not bool((index == size).any()):
        return _combine(data, axis, index, updates, mode)
    spare = data.new_ones((*data.shape[:axis], 1, *data.shape[axis + 1 :]))
    return _combine(torch.cat((data, spare), axis), axis, index, updates, mode).narrow(
        axis, 0, size
    )


def _combine(data: Tensor, axis: int, index: Tensor, updates: Tensor, mode: str) -> Tensor:
    if mode == "update":
        return data.scatter(axis, index, updates)
    if mode == "add":
        return data.scatter_add(axis, index, updates)
    if mode == "sub":
        return data.scatter_add(axis, index, -updates)
    if mode == "div":
        divisor = torch.ones_like(data).scatter_reduce(axis, index, updates, "prod")
        rounding = None if data.is_floating_point() else "floor"
        return torch.div(data, divisor, rounding_mode=rounding)
    if mode in _REDUCTIONS:
        return data.scatter_reduce(axis, index, updates, _REDUCTIONS[mode])
    raise InputError(f"It has the unknown mode {mode!r}.")
