"""Take values from places that are computed: gather, gather_along_axis and gather_nd.

Shapes: `D` is the shape of x, `N` that of the indices, `b` the number of batch dimensions.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.ops.indices import axis_of, clamped, wrapped
from validate.coreml.registry import op

_InRange = Callable[[Tensor, int], Tensor]


@op("gather", exact=True)
def gather(x: Tensor, indices: Tensor, axis: int = 0, batch_dims: int = 0) -> Tensor:
    """Take slices along an axis: `D[:axis] + N[b:] + D[axis + 1:]`."""
    return _gather(x, indices, axis, batch_dims, wrapped)


@op("gather", since=17, exact=True)
def gather_ios17(
    x: Tensor,
    indices: Tensor,
    axis: int = 0,
    batch_dims: int = 0,
    validate_indices: bool = False,
) -> Tensor:
    """Take slices as gather does, without negative indices."""
    return _gather(x, indices, axis, batch_dims, partial(clamped, validate=validate_indices))


@op("gather_along_axis", exact=True)
def gather_along_axis(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    """Take single values along an axis; the result has the shape of the indices."""
    return _gather_along_axis(x, indices, axis, wrapped)


@op("gather_along_axis", since=17, exact=True)
def gather_along_axis_ios17(
    x: Tensor, indices: Tensor, axis: int = 0, validate_indices: bool = False
) -> Tensor:
    """Take single values as gather_along_axis does, without negative indices."""
    return _gather_along_axis(x, indices, axis, partial(clamped, validate=validate_indices))


@op("gather_nd", exact=True)
def gather_nd(x: Tensor, indices: Tensor, batch_dims: int = 0) -> Tensor:
    """Take slices at positions that the last dimension of the indices holds.

    The result has the shape `N[:-1] + D[b + N[-1]:]`.
    """
    return _gather_nd(x, indices, batch_dims, wrapped)


@op("gather_nd", since=17, exact=True)
def gather_nd_ios17(
    x: Tensor, indices: Tensor, batch_dims: int = 0, validate_indices: bool = False
) -> Tensor:
    """Take slices as gather_nd does, without negative indices."""
    return _gather_nd(x, indices, batch_dims, partial(clamped, validate=validate_indices))


def _gather(x: Tensor, indices: Tensor, axis: int, batch_dims: int, in_range: _InRange) -> Tensor:
    axis = axis_of(x, axis)
    _require_batch(x, indices, batch_dims, axis)
    shape = (*x.shape[:axis], *indices.shape[batch_dims:], *x.shape[axis + 1 :])
    require_size(shape, "Its result")
    indices = in_range(indices, x.shape[axis])
    if batch_dims == 0:
        return x.index_select(axis, indices.reshape(-1)).reshape(shape)
    batch, before, after = (
        math.prod(x.shape[part])
        for part in (slice(batch_dims), slice(batch_dims, axis), slice(axis + 1, None))
    )
    flat = x.reshape(batch, before, x.shape[axis], after)
    places = indices.reshape(batch, 1, math.prod(indices.shape[batch_dims:]), 1)
    return flat.gather(2, places.expand(batch, before, -1, after)).reshape(shape)


def _gather_along_axis(x: Tensor, indices: Tensor, axis: int, in_range: _InRange) -> Tensor:
    axis = axis_of(x, axis)
    return x.gather(axis, in_range(indices, x.shape[axis]))


def _gather_nd(x: Tensor, indices: Tensor, batch_dims: int, in_range: _InRange) -> Tensor:
    depth = indices.shape[-1] if indices.dim() else -1
    if not 0 <= depth <= x.dim() - batch_dims:
        raise InputError(f"It has indices of {depth} numbers for an input of rank {x.dim()}.")
    _require_batch(x, indices, batch_dims, batch_dims)
    sizes = x.shape[batch_dims : batch_dims + depth]
    rest = x.shape[batch_dims + depth :]
    require_size((*indices.shape[:-1], *rest), "Its result")
    batch, places = math.prod(x.shape[:batch_dims]), math.prod(sizes)
    count = math.prod(indices.shape[batch_dims:-1])
    flat = flat_indices(indices, sizes, in_range).reshape(batch, count)
    flat = flat + places * torch.arange(batch).unsqueeze(1)
    rows = x.reshape(batch * places, math.prod(rest)).index_select(0, flat.reshape(-1))
    return rows.reshape(*indices.shape[:-1], *rest)


def flat_indices(indices: Tensor, sizes: tuple[int, ...], in_range: _InRange) -> Tensor:
    """Return the positions, in row-major order, that the last dimension of `indices` names."""
    flat = torch.zeros(indices.shape[:-1], dtype=torch.int64)
    for number, size in enumerate(sizes):
        flat = flat * size + in_range(indices[..., number], size)
    return flat


def _require_batch(x: Tensor, indices: Tensor, batch_dims: int, axis: int) -> None:
    if not 0 <= batch_dims <= min(axis, indices.dim()):
        raise InputError(f"It has {batch_dims} batch dimensions, which its inputs do not have.")
    if x.shape[:batch_dims] != indices.shape[:batch_dims]:
        raise InputError("Its input and its indices have different batch dimensions.")
