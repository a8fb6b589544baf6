# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""conv and conv_transpose in 1, 2 and 3 dimensions."""

from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.ops.padding import resolve_padding
from validate.coreml.registry import Ints, op

_CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def _rank(x: Tensor, weight: Tensor) -> int:
    """Return the number of spatial dimensions of input and weight, which must agree."""
    rank = x.dim() - 2
    if rank not in _CONVOLUTIONS or weight.dim() != x.dim():
        raise InputError(f"takes no input of rank {x.dim()} with a weight of rank {weight.dim()}.")
    return rank


@op("conv")
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
    kernel = tuple(weight.shape[2:])
    padding = resolve_padding(pad_type, pad, tuple(x.shape[2:]), kernel, strides, dilations)
    x, symmetric = padding.apply(x)
    return _CONVOLUTIONS[rank](x, weight, bias, strides, symmetric, dilations, groups)
