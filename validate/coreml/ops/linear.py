"""Compute matrix products and attention."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.dtypes import in_flight
from validate.coreml.ir import TensorType
from validate.coreml.limits import require_size, require_work
from validate.coreml.registry import Site, Tensors, op


@op("linear")
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x times the transposed weight `(D_out, D_in)`, plus bias."""
    require_size((*x.shape[:-1], weight.shape[0]), "its result")
    require_work(x.numel() * weight.shape[0], "It")
    if x.is_floating_point():
        return functional.linear(x, weight.float(), None if bias is None else bias.float())
    result = matmul(x, weight, transpose_y=True)
    return result if bias is None else (result + bias).to(x.dtype)


@op("matmul")
def matmul(
    x: Tensor,
    y: Tensor,
    transpose_x: bool = False,
    transpose_y: bool = False,
    site: Site | None = None,
) -> Tensor:
    """Multiply along the last two axes, the others broadcast; mixed types give the declared one."""
    if x.dtype != y.dtype:
        declared = site.outputs[0] if site else None
        kind = in_flight(declared.dtype) if isinstance(declared, TensorType) else x.dtype
        return matmul(x.float(), y.float(), transpose_x, transpose_y).to(kind)
    x = x.mT if transpose_x and x.dim() > 1 else x
    y = y.mT if transpose_y and y.dim() > 1 else y
    if x.dim() > 1 and y.dim() > 1:
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        require_size((*batch, x.shape[-2], y.shape[-1]), "its result")
        require_work(math.prod((*batch, x.shape[-2], y.shape[-1], y.shape[-2])), "It")
    return torch.matmul(x, y)


@op("einsum")
def einsum(values: Tensors, equation: str) -> Tensor:
    """Multiply axes -1 and -3, the other axes batch: "nchw,nwhu->nchu" or "chw,whr->chr"."""
    if len(values) != 2 or len(equation) > 32:
        raise InputError("It has an equation or a number of inputs that einsum does not take.")
    x, y = values
    if x.dim() != y.dim() or x.dim() not in (3, 4):
        raise InputError(f"It has inputs of ranks {x.dim()} and {y.dim()}.")
    require_work(x.numel() * y.shape[-1] * max(y.shape[-2], y.shape[0]), "It")
    return torch.einsum(equation.replace(" ", ""), x, y)


@op("scaled_dot_product_attention", since=18)
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None
) -> Tensor:
    """Return softmax(Q K^T / sqrt(E) + mask) V; a boolean mask tells what takes part."""
    scores = matmul(query, key, transpose_y=True) / query.shape[-1] ** 0.5
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    elif attn_mask is not None:
        scores = scores + attn_mask
    return matmul(torch.softmax(scores, -1), value)
