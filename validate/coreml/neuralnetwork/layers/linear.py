"""Multiply by matrices, and look vectors up in them."""

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer
from validate.coreml.ops.linear import linear, matmul


@layer("innerProduct")
def inner_product(params: Any, _: Arity) -> Compute:
    """Multiply vectors by a matrix [C_out, C_in]: the last dimension, or the last three of 4 or 5.

    The rank stays: `(N, C, H, W)` becomes `(N, C_out, 1, 1)`.
    """
    product = _product(params, params.outputChannels, params.inputChannels)

    def apply(x: Tensor) -> Tensor:
        if x.dim() < 4:
            return product(x)
        flat = x.reshape(*x.shape[:-3], math.prod(x.shape[-3:]))
        return product(flat)[..., None, None]

    return apply


@layer("batchedMatmul", inputs=(1, 2))
def batched_matmul(params: Any, arity: Arity) -> Compute:
    """Multiply the last two dimensions of two inputs, or one input by a matrix [X1, X2]."""
    if arity.inputs == 1:
        # The matrix is stored by columns, so row by row it is [X2, X1].
        return _product(
            params, params.weightMatrixSecondDimension, params.weightMatrixFirstDimension
        )
    transpose_a, transpose_b = params.transposeA, params.transposeB

    def apply(a: Tensor, b: Tensor) -> Tensor:
        left = a[None] if a.dim() == 1 else a
        right = b[:, None] if b.dim() == 1 else b
        return matmul(left, right, transpose_a, transpose_b)

    return apply


def _product(params: Any, size_out: int, size_in: int) -> Callable[[Tensor], Tensor]:
    bias = weights.read(params.bias, (size_out,), "bias") if params.hasBias else None
    shape = (size_out, size_in)
    if not params.int8DynamicQuantize:
        weight = weights.read(params.weights, shape, "weights")
        return lambda x: linear(x, weight, bias)
    integers, scale = weights.read_integers(params.weights, shape, "weights")
    exact = integers.double()
    return lambda x: _quantized_product(x, exact, scale, bias)


def _quantized_product(x: Tensor, weight: Tensor, scale: float, bias: Tensor | None) -> Tensor:
    """Round the input to the int8 values of its own range before the product."""
    require_size((*x.shape[:-1], len(weight)), "its result")
    step = float(x.abs().max()) / 127 or 1.0
    result = ((x.double() / step).round() @ weight.T * (step * scale)).float()
    return result if bias is None else result + bias


@layer("embedding")
def embedding(params: Any, _: Arity) -> Compute:
    """Look vectors up by `(N, 1, 1, 1)` or `(S, N, 1, 1, 1)`; they become the channels."""
    table, bias = _table(params, params.outputChannels, params.inputDim)

    def apply(x: Tensor) -> Tensor:
        if x.dim() not in (4, 5) or x.shape[-3:].numel() != 1:
            raise InputError(f"It takes one index at each place, not the shape {list(x.shape)}.")
        return _look_up(table, bias, x[..., 0, 0, 0])[..., None, None]

    return apply


@layer("embeddingND")
def embedding_nd(params: Any, _: Arity) -> Compute:
    """Look vectors up by `(…, 1)`; they become the last dimension."""
    table, bias = _table(params, params.embeddingSize, params.vocabSize)

    def apply(x: Tensor) -> Tensor:
        if x.shape[-1] != 1:
            raise InputError(f"It takes one index at each place, not the shape {list(x.shape)}.")
        return _look_up(table, bias, x[..., 0])

    return apply


def _table(params: Any, size: int, count: int) -> tuple[Tensor, Tensor | None]:
    """Return the vectors `(count, size)` and the bias."""
    table = weights.read(params.weights, (size, count), "weights").T.contiguous()
    bias = weights.read(params.bias, (size,), "bias") if params.hasBias else None
    return table, bias


def _look_up(table: Tensor, bias: Tensor | None, indices: Tensor) -> Tensor:
    positions = indices.long()
    if positions.numel() and not 0 <= int(positions.min()) <= int(positions.max()) < len(table):
        raise InputError(f"It looks up beyond its {len(table)} vectors.")
    require_size((*positions.shape, table.shape[1]), "its result")
    result = table[positions]
    return result if bias is None else result + bias
