# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Convolve in 1, 2 and 3 dimensions: conv, conv_transpose and conv_quantized."""

import math

from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size, require_work
from validate.coreml.ops.packed import pack
from validate.coreml.ops.padding import Padding, convolution_padding
from validate.coreml.registry import Ints, op

_CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def _rank(x: Tensor, weight: Tensor) -> int:
    """Return the number of spatial dimensions of input and weight, which must agree."""
    rank = x.dim() - 2
    if rank not in _CONVOLUTIONS or weight.dim() != x.dim():
        raise InputError(f"It has an input of rank {x.dim()}, a weight of rank {weight.dim()}.")
    return rank


@op("conv", packed=pack)
def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Ints | None = None,
    pad_type: str = "valid",
    pad: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Tensor:
    """Convolve `(N, C, *D)` with a weight `(C_out, C / groups, *K)`."""
    rank = _rank(x, weight)
    strides = strides or (1,) * rank
    dilations = dilations or (1,) * rank
    padding, _ = convolution_padding(x, tuple(weight.shape), strides, pad_type, pad, dilations)
    x, symmetric = padding.apply(x)
    return _CONVOLUTIONS[rank](x, weight, bias, strides, symmetric, dilations, groups)


@op("conv_quantized")
def conv_quantized(
    x: Tensor,
    weight: Tensor,
    quantization_type: str,
    quant_scale: Tensor,
    quant_bias: Tensor,
    bias: Tensor | None = None,
    nbits: int = 8,  # noqa: ARG001 (says how the weight was quantized, not what it is)
    strides: Ints | None = None,
    pad_type: str = "valid",
    pad: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Tensor:
    """Convolve with the weight times quant_scale plus quant_bias, one a channel or for all."""
    if quantization_type != "linear":
        raise InputError(f"It has the quantization {quantization_type!r}; only linear is defined.")
    shape = (-1, *(1,) * (weight.dim() - 1))
    dense = weight.float() * quant_scale.reshape(shape) + quant_bias.reshape(shape)
    return conv(x, dense, bias, strides, pad_type, pad, dilations, groups)


@op("conv_transpose")
def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    pad: Ints | None = None,
    output_shape: Ints | None = None,
    pad_type: str = "valid",
    strides: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Tensor:
    """Convolve `(N, C, *D)`, transposed, with a weight `(C, C_out / groups, *K)`.

    The full result of each dimension, (D - 1) stride + dilation (K - 1) + 1, is cut to the output
    size from the amount `before` on; what lies beyond it is bias alone.
    """
    rank = _rank(x, weight)
    strides = strides or (1,) * rank
    dilations = dilations or (1,) * rank
    kernel = tuple(weight.shape[2:])
    full = tuple(
        (n - 1) * s + d * (k - 1) + 1
        for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    )
    before, size = _transposed_cut(pad_type, pad, output_shape, full, tuple(x.shape[2:]), strides)
    channels = weight.shape[1] * groups
    require_size((x.shape[0], channels, *full), "its result")
    require_size((x.shape[0], channels, *size), "its result")
    require_work(x.shape[0] * math.prod(x.shape[2:]) * weight.numel(), "It")
    extra = tuple(o - (f - 2 * b) for o, f, b in zip(size, full, before, strict=True))
    admissible = (0 <= e < max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True))
    convolve = _TRANSPOSED[rank]
    if all(admissible):
        return convolve(x, weight, bias, strides, before, extra, groups, dilations)
    result = convolve(x, weight, None, strides, 0, 0, groups, dilations)
    after = tuple(o + b - f for o, f, b in zip(size, full, before, strict=True))
    result = Padding(tuple(-b for b in before), after).pad(result)
    return result if bias is None else result + bias.reshape(-1, *(1,) * rank)


def _transposed_cut(
    pad_type: str,
    pad: Ints | None,
    output_shape: Ints | None,
    full: tuple[int, ...],
    size: tuple[int, ...],
    strides: tuple[int, ...],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the amounts cut before, and the output size, of each spatial dimension."""
    rank = len(full)
    given = None if output_shape is None else tuple(output_shape[-rank:])
    if pad_type == "custom":
        if pad is None or len(pad) != 2 * rank or min(pad) < 0:
            raise InputError(f"It has a pad of {pad} for {rank} dimensions.")
        before, after = tuple(pad[0::2]), tuple(pad[1::2])
        cut = tuple(f - b - a for f, b, a in zip(full, before, after, strict=True))
        return before, given or cut
    if pad_type == "valid":
        return (0,) * rank, given or full
    if pad_type != "same":
        raise InputError(f"It has the unknown pad type {pad_type!r}.")
    output = given or tuple(n * s for n, s in zip(size, strides, strict=True))
    return tuple(max(f - o, 0) // 2 for f, o in zip(full, output, strict=True)), output
