"""Resize the last axes by nearest neighbours or linear interpolation.

Where the output's N samples lie on an input axis of X positions 0 … X - 1 is the sampling mode:

    STRICT_ALIGN_CORNERS   N points from 0 to X - 1
    ALIGN_CORNERS          the same, but a single point lies in the middle
    DEFAULT                i X / N
    OFFSET_CORNERS         (i + 0.5) max(1, X - 1) / N
    UNALIGN_CORNERS        (i + 0.5) X / N - 0.5

and every point is moved into [0, X - 1]. Source: coremltools' documentation of resize_bilinear.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import Ints, op


def sample_points(extent: Tensor, count: int, mode: str) -> Tensor:
    """Return `count` points on axes whose last positions, X - 1, are `extent` `(…)`: `(…, count)`.

    They are not yet moved into [0, X - 1].

    Raises:
        InputError: if the mode is unknown.
    """
    if count < 1:
        raise InputError(f"It has a target size of {count}.")
    steps = torch.arange(count, dtype=torch.float32)
    last = extent.float()[..., None]
    if mode == "ALIGN_CORNERS" and count == 1:
        return last / 2
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        return steps * (last / max(count - 1, 1))
    if mode == "DEFAULT":
        return steps * ((last + 1) / count)
    if mode == "OFFSET_CORNERS":
        return (steps + 0.5) * (last.clamp(min=1) / count)
    if mode == "UNALIGN_CORNERS":
        return (steps + 0.5) * ((last + 1) / count) - 0.5
    raise InputError(f"It has the unknown sampling mode {mode!r}.")


def _axis_points(size: int, count: int, mode: str) -> Tensor:
    last = torch.tensor(size - 1)
    return sample_points(last, count, mode).clamp(0, max(size - 1, 0))


def _linear_axis(x: Tensor, axis: int, count: int, mode: str) -> Tensor:
    """Interpolate along one axis."""
    size = x.shape[axis]
    points = _axis_points(size, count, mode)
    low = points.floor().long()
    high = (low + 1).clamp(max=size - 1)
    weight = (points - low).reshape(-1, *(1,) * (x.dim() - 1 - axis % x.dim()))
    return torch.lerp(x.index_select(axis, low), x.index_select(axis, high), weight)


def _linear(x: Tensor, sizes: Ints, mode: str) -> Tensor:
    """Interpolate along the last axes; the usual modes in two dimensions at once."""
    leading = x.dim() - len(sizes)
    require_size((*x.shape[:leading], *sizes), "its result")
    aligned = mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS")
    if len(sizes) == 2 and min(sizes) > 1 and (aligned or mode == "UNALIGN_CORNERS"):
        images = x if x.dim() == 4 else x.reshape(1, -1, *x.shape[-2:])
        result = functional.interpolate(images, sizes, mode="bilinear", align_corners=aligned)
        return result.reshape(*x.shape[:-2], *sizes)
    for axis, count in enumerate(sizes, start=leading):
        x = _linear_axis(x, axis, count, mode)
    return x


def _repeated(x: Tensor, sizes: Ints) -> Tensor:
    """Take the element at or before i X / N along the last two axes."""
    require_size((*x.shape[:-2], *sizes), "its result")
    images = x if x.dim() == 4 else x.reshape(1, -1, *x.shape[-2:])
    return functional.interpolate(images, sizes, mode="nearest").reshape(*x.shape[:-2], *sizes)


def _nearest(x: Tensor, sizes: Ints, mode: str) -> Tensor:
    """Take the element nearest to each sample point along the last axes."""
    leading = x.dim() - len(sizes)
    require_size((*x.shape[:leading], *sizes), "its result")
    for axis, count in enumerate(sizes, start=leading):
        points = _axis_points(x.shape[axis], count, mode)
        x = x.index_select(axis, (points + 0.5).floor().long())
    return x


def _scaled(x: Tensor, height: float, width: float) -> Ints:
    return int(x.shape[-2] * height), int(x.shape[-1] * width)


@op("upsample_nearest_neighbor", exact=True)
def upsample_nearest_neighbor(
    x: Tensor, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0
) -> Tensor:
    """Resize `(…, H, W)` by factors, taking the nearest pixels."""
    return _repeated(x, _scaled(x, scale_factor_height, scale_factor_width))


@op("resize_nearest_neighbor", exact=True)
def resize_nearest_neighbor(x: Tensor, target_size_height: int, target_size_width: int) -> Tensor:
    """Resize `(…, H, W)` to a size, taking the nearest pixels."""
    return _repeated(x, (target_size_height, target_size_width))


@op("upsample_bilinear")
def upsample_bilinear(
    x: Tensor,
    scale_factor_height: float = 1.0,
    scale_factor_width: float = 1.0,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Tensor:
    """Resize `(…, H, W)` by factors; the exact factor is that of the rounded size."""
    centered = not align_corners if half_pixel_centers is None else half_pixel_centers
    if align_corners and centered:
        raise InputError("It asks for aligned corners and for half-pixel centres.")
    mode = "UNALIGN_CORNERS" if centered else "DEFAULT"
    mode = "STRICT_ALIGN_CORNERS" if align_corners else mode
    return _linear(x, _scaled(x, scale_factor_height, scale_factor_width), mode)


@op("resize_bilinear")
def resize_bilinear(
    x: Tensor,
    target_size_height: int = 1,
    target_size_width: int = 1,
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    """Resize `(…, H, W)` to a size in a sampling mode."""
    return _linear(x, (target_size_height, target_size_width), sampling_mode)


@op("resize", since=17)
def resize(
    x: Tensor,
    shape: Ints,
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    """Resize the last `resized_dims` axes to the last sizes of `shape`; 0 keeps a size."""
    if not 0 <= resized_dims <= min(len(shape), x.dim()):
        raise InputError(f"It resizes {resized_dims} axes to the shape {list(shape)}.")
    if resized_dims == 0:
        return x
    own = x.shape[-resized_dims:]
    sizes = tuple(n or o for n, o in zip(shape[-resized_dims:], own, strict=True))
    if interpolation_mode == "NEAREST_NEIGHBOR":
        return _nearest(x, sizes, sampling_mode)
    if interpolation_mode == "LINEAR":
        return _linear(x.float(), sizes, sampling_mode).to(x.dtype)
    raise InputError(f"It has the unknown interpolation mode {interpolation_mode!r}.")
