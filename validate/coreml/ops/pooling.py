# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Pool in 1, 2 and 3 dimensions: max_pool, avg_pool and l2_pool."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size, require_work
from validate.coreml.ops.padding import Padding, resolve_padding
from validate.coreml.registry import Ints, op

_MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
_AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def _padding(
    x: Tensor, kernel: Ints, strides: Ints | None, pad_type: str, pad: Ints | None
) -> tuple[Ints, Padding]:
    """Return the strides and the padding of a pooling, checked."""
    rank = len(kernel)
    if rank not in _MAX or x.dim() != rank + 2:
        raise InputError(f"It has an input of rank {x.dim()} and {rank} kernel sizes.")
    strides = strides or (1,) * rank
    size = tuple(x.shape[2:])
    padding = resolve_padding(pad_type, pad, size, kernel, strides, (1,) * rank)
    padded = padding.padded(size)
    require_size((*x.shape[:2], *padded), "its padded input")
    windows = math.prod(n // s + 1 for n, s in zip(padded, strides, strict=True))
    require_work(math.prod((*x.shape[:2], windows, *kernel)), "It")
    return strides, padding


def _is_direct(padding: Padding, kernel: Ints) -> bool:
    """Tell whether the pooling underneath takes this padding: equal sides up to half the kernel."""
    halves = all(2 * b <= k for b, k in zip(padding.before, kernel, strict=True))
    return padding.before == padding.after and halves


@op("max_pool", exact=True)
def max_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest value of each window; padding never is."""
    strides, padding = _padding(x, kernel_sizes, strides, pad_type, pad)
    pool = _MAX[len(kernel_sizes)]
    if _is_direct(padding, kernel_sizes):
        return pool(x, kernel_sizes, strides, padding.before, 1, ceil_mode)
    return pool(padding.pad(x, float("-inf")), kernel_sizes, strides, 0, 1, ceil_mode)


@op("avg_pool")
def avg_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the mean of each window, of the whole window or of what is no padding."""
    strides, padding = _padding(x, kernel_sizes, strides, pad_type, pad)
    pool = _AVERAGE[len(kernel_sizes)]
    include = not exclude_padding_from_average
    if _is_direct(padding, kernel_sizes):
        return pool(x, kernel_sizes, strides, padding.before, ceil_mode, include)
    mean = pool(padding.pad(x), kernel_sizes, strides, 0, ceil_mode)
    if include:
        return mean
    inside = padding.pad(torch.ones((1, 1, *x.shape[2:])))
    return mean / pool(inside, kernel_sizes, strides, 0, ceil_mode)


@op("l2_pool")
def l2_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the root of the sum of squares of each window."""
    mean = avg_pool(x.square(), kernel_sizes, pad_type, strides, pad, False, ceil_mode)
    return (mean * math.prod(kernel_sizes)).sqrt()
