"""Gather from positions and scatter to them, as the operations of ML programs do."""

from typing import Any

from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer, operation

_MODES = ("update", "add", "sub", "mul", "div", "max", "min")


@layer("gather", inputs=2)
def gather(params: Any, _: Arity) -> Compute:
    """Take slices of the first input along an axis at the positions in the second."""
    axis, take = params.axis, operation("gather")
    return lambda x, indices: take(x, indices, axis)


@layer("gatherND", inputs=2)
def gather_nd(_: Any, __: Arity) -> Compute:
    """Take slices of the first input at the positions in the last dimension of the second."""
    return operation("gather_nd")


@layer("gatherAlongAxis", inputs=2)
def gather_along_axis(params: Any, _: Arity) -> Compute:
    """Take elements of the first input, whose position along an axis is in the second."""
    axis, take = params.axis, operation("gather_along_axis")
    return lambda x, indices: take(x, indices, axis)


@layer("scatter", inputs=3)
def scatter(params: Any, _: Arity) -> Compute:
    """Combine slices into the first input along an axis, at the positions in the second."""
    axis, mode, put = params.axis, choose(_MODES, params.mode, "mode"), operation("scatter")
    return lambda x, indices, updates: put(x, indices, updates, axis, mode)


@layer("scatterND", inputs=3)
def scatter_nd(params: Any, _: Arity) -> Compute:
    """Combine slices into the first input, at the positions in the second's last dimension."""
    mode, put = choose(_MODES, params.mode, "mode"), operation("scatter_nd")
    return lambda x, indices, updates: put(x, indices, updates, mode)


@layer("scatterAlongAxis", inputs=3)
def scatter_along_axis(params: Any, _: Arity) -> Compute:
    """Combine elements into the first input; their position along an axis is in the second."""
    axis, mode = params.axis, choose(_MODES, params.mode, "mode")
    put = operation("scatter_along_axis")
    return lambda x, indices, updates: put(x, indices, updates, axis, mode)
