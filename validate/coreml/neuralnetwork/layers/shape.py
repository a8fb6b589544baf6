"""Change a tensor's shape without a new order of its elements, and read the shape."""

import math
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork.batch_axes import over_batch, require_rank
from validate.coreml.neuralnetwork.layers.reduction import require_axis
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer
from validate.coreml.ops import shape as ops


def integers(x: Tensor) -> tuple[int, ...]:
    """Return the numbers of a tensor: a shape, a position, a length.

    Raises:
        InputError: if one is not finite.
    """
    if not bool(torch.isfinite(x).all()):
        raise InputError("It is given a size or position that is no number.")
    return tuple(int(each) for each in x.reshape(-1).tolist())


@layer("getShape")
def get_shape(_: Any, __: Arity) -> Compute:
    """Return the sizes of the input."""
    return lambda x: torch.tensor(x.shape)


@layer("reshapeStatic")
def reshape_static(params: Any, _: Arity) -> Compute:
    """Give the input a shape, where -1 takes what is left."""
    shape = tuple(params.targetShape)
    return lambda x: ops.reshape(x, shape)


@layer("reshapeDynamic", inputs=2)
def reshape_dynamic(_: Any, __: Arity) -> Compute:
    """Give the input the shape that the second input holds."""
    return lambda x, shape: ops.reshape(x, integers(shape))


@layer("reshapeLike", inputs=2)
def reshape_like(_: Any, __: Arity) -> Compute:
    """Give the first input the shape of the second."""
    return lambda x, other: x.reshape(other.shape)


@layer("rankPreservingReshape")
def rank_preserving_reshape(params: Any, _: Arity) -> Compute:
    """Give the input a shape of the same rank; 0 keeps a size, -1 takes what is left."""
    shape = tuple(params.targetShape)

    def apply(x: Tensor) -> Tensor:
        if len(shape) != x.dim():
            raise InputError(f"It gives the rank {len(shape)} to the shape {list(x.shape)}.")
        return x.reshape([n or x.shape[axis] for axis, n in enumerate(shape)])

    return apply


@layer("expandDims")
def expand_dims(params: Any, _: Arity) -> Compute:
    """Insert axes of size 1; axes count in the result."""
    axes = tuple(params.axes)
    return lambda x: ops.expand_dims(x, axes)


@layer("squeeze")
def squeeze(params: Any, _: Arity) -> Compute:
    """Remove axes of size 1."""
    axes = None if params.squeezeAll else tuple(params.axes)

    def apply(x: Tensor) -> Tensor:
        for axis in axes or ():
            require_axis(x, axis)
            if x.shape[axis] != 1:
                raise InputError(f"It removes axis {axis} of the shape {list(x.shape)}.")
        return ops.squeeze(x, axes)

    return apply


@layer("flattenTo2D")
def flatten_to_2d(params: Any, _: Arity) -> Compute:
    """Flatten the axes before and from an axis on to a matrix."""
    axis = params.axis

    def apply(x: Tensor) -> Tensor:
        if axis != x.dim():
            require_axis(x, axis)
        return ops.flatten2d(x, axis)

    return apply


@layer("flatten")
def flatten(params: Any, _: Arity) -> Compute:
    """Flatten `(…, C, H, W)` to `(…, C H W, 1, 1)`, by channels or with channels last."""
    channels_last = choose((False, True), params.mode, "mode")

    def apply(x: Tensor) -> Tensor:
        ordered = x.permute(0, 2, 3, 1) if channels_last else x
        return ordered.reshape(len(x), math.prod(x.shape[1:]), 1, 1)

    return lambda x: over_batch(x, apply)


@layer("reshape")
def reshape(params: Any, _: Arity) -> Compute:
    """Give `(Seq, N, C, H, W)` a new shape [C, H, W] or [Seq, C, H, W], maybe channels last."""
    shape = tuple(params.targetShape)
    channels_last = choose((False, True), params.mode, "mode")
    if len(shape) not in (3, 4):
        raise InputError(f"It has a target shape of rank {len(shape)}, not 3 or 4.")
    channels, height, width = shape[-3:]

    def apply(x: Tensor) -> Tensor:
        require_rank(x, 4)
        sequence = x.shape[:-4] if len(shape) == 3 else (shape[0],) * (x.dim() - 4)
        leading = (*sequence, x.shape[-4])
        if not channels_last:
            return x.reshape(*leading, channels, height, width)
        ordered = x.movedim(-3, -1).reshape(*leading, height, width, channels)
        return ordered.movedim(-1, -3)

    return apply


@layer("broadcastToLike", inputs=2)
def broadcast_to_like(_: Any, __: Arity) -> Compute:
    """Repeat the first input to the shape of the second."""
    return lambda x, other: _broadcast(x, tuple(other.shape))


@layer("broadcastToStatic")
def broadcast_to_static(params: Any, _: Arity) -> Compute:
    """Repeat the input to a shape."""
    shape = tuple(params.targetShape)
    return lambda x: _broadcast(x, shape)


@layer("broadcastToDynamic", inputs=2)
def broadcast_to_dynamic(_: Any, __: Arity) -> Compute:
    """Repeat the first input to the shape that the second holds."""
    return lambda x, shape: _broadcast(x, integers(shape))


def _broadcast(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    require_size(shape, "its result")
    return x.broadcast_to(shape).contiguous()
