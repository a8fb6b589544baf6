"""Make tensors: constants, fills, ranges, one-hot vectors, positions."""

from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.layers.shape import integers
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer
from validate.coreml.ops import creation as ops


@layer("loadConstant", inputs=0)
def load_constant(params: Any, _: Arity) -> Compute:
    """Return a constant of the shape [1, 1, C, H, W]."""
    if len(params.shape) != 3:
        raise InputError(f"It has a shape of rank {len(params.shape)} instead of 3.")
    constant = weights.read(params.data, (1, 1, *params.shape), "data")
    return lambda: constant


@layer("loadConstantND", inputs=0)
def load_constant_nd(params: Any, _: Arity) -> Compute:
    """Return a constant."""
    constant = weights.read(params.data, tuple(params.shape), "data")
    return lambda: constant


@layer("fillLike")
def fill_like(params: Any, _: Arity) -> Compute:
    """Return one value in the shape of the input."""
    value = params.value
    return lambda x: torch.full_like(x, value)


@layer("fillStatic", inputs=0)
def fill_static(params: Any, _: Arity) -> Compute:
    """Return one value in a shape."""
    value, shape = params.value, tuple(params.targetShape)
    return lambda: _full(shape, value)


@layer("fillDynamic")
def fill_dynamic(params: Any, _: Arity) -> Compute:
    """Return one value in the shape that the input holds."""
    value = params.value
    return lambda shape: _full(integers(shape), value)


def _full(shape: tuple[int, ...], value: float) -> Tensor:
    require_size(shape, "its result")
    return torch.full(shape, value)


@layer("rangeStatic", inputs=0)
def range_static(params: Any, _: Arity) -> Compute:
    """Return start, start + step, … below end."""
    bounds = (params.endValue, params.startValue, params.stepSizeValue)
    return lambda: ops.range_1d(*map(torch.tensor, bounds))


@layer("rangeDynamic", inputs=(1, 3))
def range_dynamic(params: Any, _: Arity) -> Compute:
    """Compute rangeStatic with the end, then start and step as inputs, as far as given."""
    start, step = params.startValue, params.stepSizeValue

    def apply(end: Tensor, *others: Tensor) -> Tensor:
        fixed = (torch.tensor(start), torch.tensor(step))
        return ops.range_1d(end, *others, *fixed[len(others) :])

    return apply


@layer("oneHot", inputs=(1, 2))
def one_hot(params: Any, _: Arity) -> Compute:
    """Return vectors, along a new axis, with the on value at an index and the off value around."""
    fixed, axis = params.oneHotVectorSize, params.axis
    on, off = params.onValue, params.offValue

    def apply(indices: Tensor, size: Tensor | None = None) -> Tensor:
        (length,) = (fixed,) if size is None else integers(size)
        positions = indices.long()
        positions = torch.where(positions < 0, positions + length, positions)
        return ops.one_hot(positions, length, axis, torch.tensor(on), torch.tensor(off))

    return apply


@layer("whereNonZero")
def where_non_zero(_: Any, __: Arity) -> Compute:
    """Return the positions of the elements that are not zero, one a row."""
    return torch.nonzero
