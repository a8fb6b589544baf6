"""Resize images, and boxes cut out of images.

A size of N points is sampled from an interval of X pixels, for each of the modes in
`NeuralNetwork.proto`: linear interpolation between the two nearest pixels.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork.batch_axes import over_batch
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer, pair

_Grid = Callable[[Tensor, Tensor, int], Tensor]
"""Takes the first and last pixel of intervals and N; returns N points for each interval."""


@layer("upsample")
def upsample(params: Any, _: Arity) -> Compute:
    """Enlarge `(…, C, H, W)` by factors, repeating pixels or interpolating."""
    factors = tuple(params.fractionalScalingFactor) or pair(params.scalingFactor, 1, "factors")
    if len(factors) != 2 or min(factors) <= 0:
        raise InputError(f"It has the scaling factors {list(factors)}.")
    nearest = choose((True, False), params.mode, "mode")
    mode = choose((_by_stretch, _by_corners, _by_centres), params.linearUpsampleMode, "mode")

    def apply(x: Tensor) -> Tensor:
        size = (int(x.shape[-2] * factors[0]), int(x.shape[-1] * factors[1]))
        require_size((*x.shape[:-2], *size), "its result")
        if nearest:
            return _nearest(x, size, (factors[0], factors[1]))
        result: Tensor = mode(x, size)
        return result

    return lambda x: over_batch(x, apply)


def _nearest(x: Tensor, size: tuple[int, int], factors: tuple[float, float]) -> Tensor:
    if size[0] % x.shape[-2] == 0 and size[1] % x.shape[-1] == 0:
        return functional.interpolate(x, size=size, mode="nearest")
    for axis in (-2, -1):
        points = torch.arange(size[axis], dtype=torch.float64) / factors[axis]
        x = x.index_select(axis, points.long().clamp_(max=x.shape[axis] - 1))
    return x


def _by_corners(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


def _by_centres(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def _by_stretch(x: Tensor, size: tuple[int, int]) -> Tensor:
    return _resize(x, size, _upsample_points)


@layer("resizeBilinear")
def resize_bilinear(params: Any, _: Arity) -> Compute:
    """Resize `(…, C, H, W)` to a size."""
    size = pair(params.targetSize, 1, "target size")
    grid = choose(_GRIDS, params.mode.samplingMethod, "sampling method")

    def apply(x: Tensor) -> Tensor:
        require_size((*x.shape[:-2], *size), "its result")
        return _resize(x, size, grid)

    return lambda x: over_batch(x, apply)


@layer("cropResize", inputs=2)
def crop_resize(params: Any, _: Arity) -> Compute:
    """Cut boxes `(R, 1, 4 or 5, 1, 1)` out of images `(1, N, C, H, W)`, resized to one size.

    Boxes of 5 numbers begin with the image they are cut from; those of 4 are cut from all.
    """
    size = pair(params.targetSize, 1, "target size")
    grid: _Grid = choose(_GRIDS, params.mode.samplingMethod, "sampling method")
    corners = choose(_CORNERS, params.boxIndicesMode.boxMode, "box mode")
    normalized, scale = params.normalizedCoordinates, params.spatialScale or 1.0

    def apply(images: Tensor, boxes: Tensor) -> Tensor:
        images = images.reshape(-1, *images.shape[-3:])
        boxes = boxes.reshape(boxes.shape[0], -1)
        if boxes.shape[1] not in (4, 5):
            raise InputError(f"It has boxes of {boxes.shape[1]} numbers.")
        count = len(images) if boxes.shape[1] == 4 else 1
        require_size((len(boxes), count, images.shape[1], *size), "its result")
        limits = torch.tensor([images.shape[-2] - 1.0, images.shape[-1] - 1.0])
        first, last = corners(boxes[:, -4:] * scale)
        if normalized:
            first, last = first * limits, last * limits
        rows = grid(first[:, 0], last[:, 0], size[0]).clamp(0, float(limits[0]))
        columns = grid(first[:, 1], last[:, 1], size[1]).clamp(0, float(limits[1]))
        crops = [
            _sample(images if count > 1 or boxes.shape[1] == 4 else _one(images, box), y, x)
            for box, y, x in zip(boxes, rows, columns, strict=True)
        ]
        return torch.stack(crops) if crops else images.new_zeros((0, count, images.shape[1], *size))

    return apply


def _one(images: Tensor, box: Tensor) -> Tensor:
    index = int(box[0])
    if not 0 <= index < len(images):
        raise InputError(f"It cuts a box from image {index} of {len(images)}.")
    return images[index : index + 1]


def _corners_height_first(boxes: Tensor) -> tuple[Tensor, Tensor]:
    return boxes[:, :2], boxes[:, 2:]


def _centre_height_first(boxes: Tensor) -> tuple[Tensor, Tensor]:
    return boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2


def _width_first(
    function: Callable[[Tensor], tuple[Tensor, Tensor]],
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    return lambda boxes: function(boxes[:, [1, 0, 3, 2]])


_CORNERS = (
    _corners_height_first,
    _width_first(_corners_height_first),
    _centre_height_first,
    _width_first(_centre_height_first),
)


def _linspace(first: Tensor, last: Tensor, count: int) -> Tensor:
    steps = torch.arange(count, dtype=torch.float32) / max(count - 1, 1)
    return first[:, None] + (last - first)[:, None] * steps


def _strict_points(first: Tensor, last: Tensor, count: int) -> Tensor:
    return _linspace(first, last, count)


def _align_points(first: Tensor, last: Tensor, count: int) -> Tensor:
    return ((first + last) / 2)[:, None] if count == 1 else _linspace(first, last, count)


def _upsample_points(first: Tensor, last: Tensor, count: int) -> Tensor:
    spacing = (last - first + 1) / count
    return first[:, None] + spacing[:, None] * torch.arange(count)


def _roi_points(first: Tensor, last: Tensor, count: int) -> Tensor:
    spacing = (last - first).clamp(min=1) / count
    return first[:, None] + spacing[:, None] * (torch.arange(count) + 0.5)


_GRIDS: tuple[_Grid, ...] = (_strict_points, _align_points, _upsample_points, _roi_points)


def _resize(x: Tensor, size: tuple[int, int], grid: _Grid) -> Tensor:
    points = []
    for axis, count in ((-2, size[0]), (-1, size[1])):
        last = torch.tensor([x.shape[axis] - 1.0])
        points.append(grid(torch.zeros(1), last, count)[0].clamp(0, float(last)))
    return _sample(x, points[0], points[1])


def _sample(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Interpolate `(…, H, W)` at rows and columns, which lie inside the image."""
    return _along(_along(x, -2, rows), -1, columns)


def _along(x: Tensor, axis: int, points: Tensor) -> Tensor:
    lower = points.floor().clamp(0, x.shape[axis] - 1)
    upper = (lower + 1).clamp(max=x.shape[axis] - 1)
    weight = (points - lower).reshape(-1, *(1,) * (-axis - 1))
    near, far = x.index_select(axis, lower.long()), x.index_select(axis, upper.long())
    return torch.lerp(near, far, weight.expand_as(near))
