"""Pool windows, or everything, in 2 and 3 dimensions."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork.batch_axes import over_batch, require_rank
from validate.coreml.neuralnetwork.layers.convolution import padding_3d, spatial_padding
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer, pair
from validate.coreml.ops.pooling import avg_pool, l2_pool, max_pool

_KINDS = ("max", "average", "l2")


def _l2(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return x.square().sum(axes, keepdim=True).sqrt()


def _everything(kind: str, rank: int) -> Compute:
    """Return the pooling of the last `rank` dimensions to one element each."""
    axes = tuple(range(-rank, 0))
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "max": lambda x: x.amax(axes, keepdim=True),
        "average": lambda x: x.mean(axes, keepdim=True),
        "l2": lambda x: _l2(x, axes),
    }
    function = functions[kind]

    def apply(x: Tensor) -> Tensor:
        require_rank(x, rank)
        return function(x)

    return apply


@layer("pooling")
def pooling(params: Any, _: Arity) -> Compute:
    """Return the maximum, mean or root of the sum of squares of each window of `(…, C, H, W)`."""
    kind = choose(_KINDS, params.type, "type of pooling")
    if params.globalPooling:
        return _everything(kind, 2)
    pad_type, pad = _padding(params)
    return _windows(
        kind,
        pair(params.kernelSize, 3, "kernel"),
        pair(params.stride, 1, "strides"),
        (pad_type, pad),
        exclude=params.avgPoolExcludePadding,
        complete=params.WhichOneof("PoolingPaddingType") == "includeLastPixel",
    )


def _padding(params: Any) -> tuple[str, tuple[int, ...] | None]:
    if params.WhichOneof("PoolingPaddingType") != "includeLastPixel":
        return spatial_padding(params, "PoolingPaddingType")
    height, width = pair(params.includeLastPixel.paddingAmounts, 0, "padding")
    return "custom", (height, height, width, width)


@layer("pooling3d")
def pooling_3d(params: Any, _: Arity) -> Compute:
    """Return the maximum or mean of each window of `(…, C, D, H, W)`."""
    axes = ("Depth", "Height", "Width")
    return _windows(
        choose(_KINDS[:2], params.type, "type of pooling"),
        tuple(getattr(params, f"kernel{axis}") for axis in axes),
        tuple(getattr(params, f"stride{axis}") or 1 for axis in axes),
        padding_3d(params),
        exclude=params.countExcludePadding,
        complete=False,
    )


@layer("globalPooling3d")
def global_pooling_3d(params: Any, _: Arity) -> Compute:
    """Return the maximum or mean of `(…, D, H, W)`."""
    return _everything(choose(_KINDS[:2], params.type, "type of pooling"), 3)


def _windows(
    kind: str,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[str, tuple[int, ...] | None],
    *,
    exclude: bool,
    complete: bool,
) -> Compute:
    """Return the pooling of windows; `complete` ones reach the last element."""
    if min((*kernel, *strides)) < 1 or max((*kernel, *strides)) >= 2**31:
        raise InputError("It has a kernel or stride that is no size.")
    pad_type, pad = padding

    def apply(x: Tensor) -> Tensor:
        if kind == "max":
            return max_pool(x, kernel, pad_type, strides, pad, complete)
        if kind == "average":
            return avg_pool(x, kernel, pad_type, strides, pad, exclude, complete)
        return l2_pool(x, kernel, pad_type, strides, pad, complete)

    return lambda x: over_batch(x, apply, len(kernel) + 1)
