"""Compute elementwise on one, two and three tensors, with broadcasting."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import op

_Binary = Callable[[Tensor, Tensor], Tensor]


def require_broadcast(*tensors: Tensor) -> None:
    """Refuse a broadcast result that is too large, before it is computed."""
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) > 1:
        require_size(np.broadcast_shapes(*shapes), "its result")


def _unary(name: str, function: Callable[[Tensor], Tensor], *, exact: bool = False) -> None:
    def apply(x: Tensor) -> Tensor:
        result = function(x)
        return result if result.dtype == x.dtype else result.to(x.dtype)

    op(name, exact=exact)(apply)


def _binary(name: str, function: _Binary, *, exact: bool = False) -> None:
    def apply(x: Tensor, y: Tensor) -> Tensor:
        require_broadcast(x, y)
        return function(x, y)

    op(name, exact=exact)(apply)


def _same_type(function: _Binary) -> _Binary:
    """Keep integers integers, rounding toward zero: a result has the type of its operands."""
    return lambda x, y: function(x, y).to(torch.promote_types(x.dtype, y.dtype))


for _name, _function in {
    "acos": torch.acos,
    "asin": torch.asin,
    "atan": torch.atan,
    "atanh": torch.atanh,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "erf": torch.erf,
    "exp": torch.exp,
    "exp2": torch.exp2,
    "sin": torch.sin,
    "sinh": torch.sinh,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "tan": torch.tan,
    "tanh": torch.tanh,
}.items():
    _unary(_name, _function)

_unary("abs", torch.abs, exact=True)
_unary("ceil", torch.ceil, exact=True)
_unary("floor", torch.floor, exact=True)
_unary("round", torch.round, exact=True)  # ties to even
_unary("sign", torch.sign, exact=True)
_unary("logical_not", torch.logical_not, exact=True)

_binary("add", torch.add)
_binary("sub", torch.sub)
_binary("mul", torch.mul)
_binary("real_div", _same_type(torch.true_divide))
_binary("floor_div", torch.floor_divide)
_binary("mod", torch.remainder)
_binary("pow", torch.pow)
_binary("maximum", torch.maximum, exact=True)
_binary("minimum", torch.minimum, exact=True)
_binary("equal", torch.eq)
_binary("not_equal", torch.ne)
_binary("greater", torch.gt)
_binary("greater_equal", torch.ge)
_binary("less", torch.lt)
_binary("less_equal", torch.le)
_binary("logical_and", torch.logical_and)
_binary("logical_or", torch.logical_or)
_binary("logical_xor", torch.logical_xor)


@op("select", exact=True)
def select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Take a where cond holds, otherwise b."""
    require_broadcast(cond, a, b)
    return torch.where(cond.bool(), a, b)


@op("clip")
def clip(x: Tensor, alpha: float, beta: float) -> Tensor:
    """Return min(max(x, alpha), beta)."""
    return x.clamp(alpha, beta).to(x.dtype)


@op("threshold")
def threshold(x: Tensor, alpha: float) -> Tensor:
    """Return max(x, alpha)."""
    return x.clamp(min=alpha).to(x.dtype)


@op("inverse")
def inverse(x: Tensor, epsilon: float = 1e-4) -> Tensor:
    """Return 1 / (x + epsilon)."""
    return torch.reciprocal(x + epsilon)


@op("log")
def log(x: Tensor, epsilon: float = 1e-45) -> Tensor:
    """Return log(x + epsilon)."""
    return torch.log(x + epsilon)


@op("rsqrt")
def rsqrt(x: Tensor, epsilon: float = 1e-12) -> Tensor:
    """Return 1 / sqrt(x + epsilon)."""
    return torch.rsqrt(x + epsilon)


_INTEGER_BOUNDS = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**31 - 1),
}


def saturate(x: Tensor, dtype: str) -> Tensor:
    """Round toward zero to an integer type; values beyond its range become its bounds."""
    if dtype not in _INTEGER_BOUNDS:
        raise InputError(f"It converts to the unknown type {dtype!r}.")
    low, high = _INTEGER_BOUNDS[dtype]
    if not x.is_floating_point():
        return x.to(torch.int32).clamp(low, high)
    return torch.nan_to_num(x.to(torch.float64), nan=0.0).clamp(low, high).to(torch.int32)


@op("cast")
def cast(x: Tensor, dtype: str) -> Tensor:
    """Convert to a type; the executor rounds what is declared fp16."""
    if dtype == "bool":
        return x != 0
    if dtype in ("fp16", "fp32"):
        return x.to(torch.float32)
    return saturate(x, dtype)
