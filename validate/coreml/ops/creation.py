"""Make tensors: constants, ranges, one-hot vectors, positions."""

import math

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import Ints, op

_ZERO = torch.zeros(())
_ON = torch.ones((), dtype=torch.int32)
_OFF = torch.zeros((), dtype=torch.int32)


@op("fill", exact=True)
def fill(shape: Ints, value: Tensor = _ZERO) -> Tensor:
    """Return a tensor of one value."""
    require_size(shape, "its result")
    return value.reshape(()).repeat(shape)


@op("fill_like", since=16, exact=True)
def fill_like(ref_tensor: Tensor, value: Tensor = _ZERO) -> Tensor:
    """Return a tensor of one value with the shape of another."""
    return fill(tuple(ref_tensor.shape), value)


@op("range_1d")
def range_1d(end: Tensor, start: Tensor, step: Tensor) -> Tensor:
    """Return start, start + step, … below end."""
    if step.item() == 0:
        raise InputError("It has a range with the step 0.")
    steps = (end.item() - start.item()) / step.item()
    count = max(math.ceil(steps), 0)
    require_size((count,), "its result")
    return start.reshape(()) + torch.arange(count, dtype=start.dtype) * step.reshape(())


@op("one_hot", exact=True)
def one_hot(
    indices: Tensor,
    one_hot_vector_size: int,
    axis: int = -1,
    on_value: Tensor = _ON,
    off_value: Tensor = _OFF,
) -> Tensor:
    """Return vectors, along a new axis, that are `on_value` at an index only."""
    rank = indices.dim() + 1
    axis = axis + rank if axis < 0 else axis
    require_size((indices.numel(), one_hot_vector_size), "its result")
    shape = [1] * rank
    shape[axis] = one_hot_vector_size
    hot = indices.unsqueeze(axis) == torch.arange(one_hot_vector_size).reshape(shape)
    return torch.where(hot, on_value, off_value)


@op("non_zero", exact=True)
def non_zero(x: Tensor) -> Tensor:
    """Return the positions of the elements that are not zero, one a row."""
    return x.nonzero().to(torch.int32)
