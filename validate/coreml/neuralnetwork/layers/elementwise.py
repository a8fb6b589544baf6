"""Compute on one tensor, element by element, and on several with broadcasting."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.batch_axes import require_rank
from validate.coreml.neuralnetwork.registry import Arity, Compute, at_least, choose, layer
from validate.coreml.ops.elementwise import require_broadcast, select

_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "ceil": torch.ceil,
    "floor": torch.floor,
    "round": torch.round,
    "sign": torch.sign,
    "exp2": torch.exp2,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "logicalNot": torch.logical_not,
    "copy": lambda x: x,
}
_BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "logicalAnd": torch.logical_and,
    "logicalOr": torch.logical_or,
    "logicalXor": torch.logical_xor,
    "addBroadcastable": torch.add,
    "subtractBroadcastable": torch.sub,
    "multiplyBroadcastable": torch.mul,
    "divideBroadcastable": torch.div,
    "floorDivBroadcastable": torch.floor_divide,
    "modBroadcastable": torch.remainder,
    "powBroadcastable": torch.pow,
}
_COMPARISONS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "equal": torch.eq,
    "notEqual": torch.ne,
    "lessThan": torch.lt,
    "lessEqual": torch.le,
    "greaterThan": torch.gt,
    "greaterEqual": torch.ge,
}
_SEVERAL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "max": torch.maximum,
    "min": torch.minimum,
    "maxBroadcastable": torch.maximum,
    "minBroadcastable": torch.minimum,
}


def _register_functions() -> None:
    for name, unary in _UNARY.items():
        layer(name)(partial(_as_it_is, unary))
    for name, binary in _BINARY.items():
        layer(name, inputs=2)(partial(_as_it_is, broadcasting(binary)))
    for name, comparison in _COMPARISONS.items():
        layer(name, inputs=(1, 2))(partial(_compare, comparison))
    for name, folded in _SEVERAL.items():
        layer(name, inputs=at_least(1))(partial(_as_it_is, _fold(folded)))


def _as_it_is(function: Compute, _: Any, __: Arity) -> Compute:
    """Return a function that needs no parameters."""
    return function


def broadcasting(function: Callable[[Tensor, Tensor], Tensor]) -> Compute:
    """Return a function of two tensors that measures the result before it exists."""

    def apply(x: Tensor, y: Tensor) -> Tensor:
        require_broadcast(x, y)
        return function(x, y)

    return apply


def _fold(function: Callable[[Tensor, Tensor], Tensor]) -> Compute:
    combine = broadcasting(function)
    return lambda *values: reduce(combine, values)


def _compare(function: Callable[[Tensor, Any], Tensor], params: Any, arity: Arity) -> Compute:
    """Compare two tensors, or one with a number."""
    if arity.inputs == 2:
        return broadcasting(function)
    alpha = params.alpha
    return lambda x: function(x, alpha)


@layer("add", inputs=at_least(1))
def add(params: Any, arity: Arity) -> Compute:
    """Sum of all inputs, or of the only one and a number."""
    alpha = params.alpha
    return _fold(torch.add) if arity.inputs > 1 else lambda x: x + alpha


@layer("multiply", inputs=at_least(1))
def multiply(params: Any, arity: Arity) -> Compute:
    """Multiply all inputs, or the only one and a number."""
    alpha = params.alpha
    return _fold(torch.mul) if arity.inputs > 1 else lambda x: x * alpha


@layer("average", inputs=at_least(1))
def average(_: Any, arity: Arity) -> Compute:
    """Return the mean of all inputs."""
    total = _fold(torch.add)
    return lambda *values: total(*values) / arity.inputs


@layer("dot", inputs=2)
def dot(params: Any, _: Arity) -> Compute:
    """Return the product of two vectors along the channels, or the cosine of their angle."""
    cosine = params.cosineSimilarity

    def apply(x: Tensor, y: Tensor) -> Tensor:
        require_rank(x, 3)
        product = (x * y).sum(-3, keepdim=True)
        if cosine:
            lengths = x.square().sum(-3, keepdim=True) * y.square().sum(-3, keepdim=True)
            return product / lengths.sqrt()
        return product

    return apply


@layer("unary")
def unary(params: Any, _: Arity) -> Compute:
    """Return one of eight functions of scale x + shift."""
    scale, shift, alpha = params.scale or 1.0, params.shift, params.alpha
    epsilon = params.epsilon or 1e-6
    functions: tuple[Callable[[Tensor], Tensor], ...] = (
        torch.sqrt,
        lambda x: torch.rsqrt(x + epsilon),
        lambda x: 1.0 / (x + epsilon),
        lambda x: torch.pow(x, alpha),
        torch.exp,
        lambda x: torch.log(x + epsilon),
        torch.abs,
        lambda x: torch.clamp(x, min=alpha),
    )
    function = choose(functions, params.type, "function")
    if scale == 1.0 and shift == 0.0:
        return function  # type: ignore[no-any-return]
    return lambda x: function(x * scale + shift)


@layer("clip")
def clip(params: Any, _: Arity) -> Compute:
    """Return min(max(x, minVal), maxVal)."""
    low, high = params.minVal, params.maxVal
    return lambda x: torch.clamp(x, low, high)


@layer("whereBroadcastable", inputs=3)
def where(_: Any, __: Arity) -> Compute:
    """Take elements of the second input where the first is not 0, of the third elsewhere."""
    return select


@layer("bias")
def bias(params: Any, _: Arity) -> Compute:
    """Add a constant of the shape [1], [C], [1, H, W] or [C, H, W]."""
    constant = _over_channels(params.shape, params.bias, "bias")
    return lambda x: _plus(x, constant)


@layer("scale")
def scale(params: Any, _: Arity) -> Compute:
    """Multiply by a constant of the shape [1], [C], [1, H, W] or [C, H, W], and add another."""
    factor = _over_channels(params.shapeScale, params.scale, "scale")
    if not params.hasBias:
        return lambda x: _times(x, factor)
    constant = _over_channels(params.shapeBias, params.bias, "bias")
    return lambda x: _plus(_times(x, factor), constant)


_plus = broadcasting(torch.add)
_times = broadcasting(torch.mul)


def _over_channels(shape: Any, message: Any, what: str) -> Tensor:
    sizes = tuple(shape)
    if len(sizes) not in (1, 3):
        raise InputError(f"It has a {what} of rank {len(sizes)}, not 1 or 3.")
    constant = weights.read(message, sizes, what)
    return constant.reshape(-1, 1, 1) if len(sizes) == 1 else constant


_register_functions()
