"""max_pool in 1, 2 and 3 dimensions."""

from torch import Tensor
from torch.nn import functional

from validate.coreml.ops.padding import resolve_padding
from validate.coreml.registry import Ints, op

_MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}


@op("max_pool", exact=True)
def max_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Largest value of each window; padding never wins."""
    rank = len(kernel_sizes)
    strides = strides or (1,) * rank
    size = tuple(x.shape[2:])
    padding = resolve_padding(pad_type, pad, size, kernel_sizes, strides, (1,) * rank)
    if any(
        2 * amount > kernel for amount, kernel in zip(padding.before, kernel_sizes, strict=True)
    ):
        raise ValueError("padding above half of the kernel")
    x, symmetric = padding.apply(x, value=float("-inf"))
    return _MAX[rank](x, kernel_sizes, strides, symmetric, 1, ceil_mode)
