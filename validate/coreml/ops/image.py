# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Sample images at given places: resample, affine and crop_resize."""

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.ops.resizing import sample_points
from validate.coreml.registry import op

_FAR = 2.0**24
"""Coordinates are moved within this, which float32 still counts in ones."""


def _fetch(x: Tensor, rows: Tensor, columns: Tensor, mode: str, value: float) -> Tensor:
    """Take pixels of `(B, C, H, W)` at whole positions `(B, *P)`, also beyond the edges.

    Returns `(B, C, *P)`.
    """
    height, width = x.shape[-2:]
    outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
    inner = _inside(rows, height, mode) * width + _inside(columns, width, mode)
    flat = inner.reshape(len(x), 1, -1).expand(-1, x.shape[1], -1)
    pixels = x.reshape(len(x), x.shape[1], -1).gather(2, flat)
    pixels = pixels.reshape(len(x), x.shape[1], *rows.shape[1:])
    return torch.where(outside[:, None], value, pixels) if mode == "constant" else pixels


def _inside(positions: Tensor, size: int, mode: str) -> Tensor:
    """Move positions into [0, size - 1]: to the edge, or mirrored without or with the edge."""
    if mode in ("constant", "border") or size == 1:
        return positions.clamp(0, size - 1)
    if mode == "reflection":
        return size - 1 - (size - 1 - positions.remainder(2 * size - 2)).abs()
    if mode == "symmetric":
        turned = positions.remainder(2 * size)
        return torch.minimum(turned, 2 * size - 1 - turned)
    raise InputError(f"It has the unknown padding mode {mode!r}.")


def _sample(
    x: Tensor, rows: Tensor, columns: Tensor, sampling: str, mode: str, value: float
) -> Tensor:
    """Sample `(B, C, H, W)` at places `(B, *P)` in pixels; returns `(B, C, *P)`."""
    require_size((*x.shape[:2], *rows.shape[1:]), "its result")
    rows = torch.nan_to_num(rows).clamp(-_FAR, _FAR)
    columns = torch.nan_to_num(columns).clamp(-_FAR, _FAR)
    if sampling == "nearest":
        nearest = ((rows + 0.5).floor().long(), (columns + 0.5).floor().long())
        return _fetch(x, *nearest, mode, value)
    if sampling != "bilinear":
        raise InputError(f"It has the unknown sampling mode {sampling!r}.")
    top, left = rows.floor(), columns.floor()
    down, right = (rows - top)[:, None], (columns - left)[:, None]
    row, column = top.long(), left.long()
    upper = torch.lerp(
        _fetch(x, row, column, mode, value), _fetch(x, row, column + 1, mode, value), right
    )
    lower = torch.lerp(
        _fetch(x, row + 1, column, mode, value), _fetch(x, row + 1, column + 1, mode, value), right
    )
    return torch.lerp(upper, lower, down)


def _in_pixels(coordinates: Tensor, size: int, mode: str, aligned: bool) -> Tensor:
    """Convert coordinates to positions in pixels; `aligned` puts the ends on pixel centres."""
    if mode == "unnormalized":
        return coordinates
    if mode == "normalized_minus_one_to_one":
        coordinates = (coordinates + 1) / 2
    elif mode != "normalized_zero_to_one":
        raise InputError(f"It has the unknown coordinates mode {mode!r}.")
    return coordinates * (size - 1) if aligned else coordinates * size - 0.5


@op("resample")
def resample(
    x: Tensor,
    coordinates: Tensor,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Tensor:
    """Sample `(B, C, H, W)` at coordinates `(B, H2, W2, 2)`, x before y."""
    if coordinates.dim() != 4 or coordinates.shape[-1] != 2 or len(coordinates) != len(x):
        raise InputError(f"It has coordinates of the shape {list(coordinates.shape)}.")
    places = coordinates.float()
    columns = _in_pixels(places[..., 0], x.shape[3], coordinates_mode, align_corners)
    rows = _in_pixels(places[..., 1], x.shape[2], coordinates_mode, align_corners)
    return _sample(x, rows, columns, sampling_mode, padding_mode, padding_value)


@op("affine")
def affine(
    x: Tensor,
    transform_matrix: Tensor,
    output_height: int,
    output_width: int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Tensor:
    """Sample `(B, C, H, W)` where each output pixel is mapped by its matrix `(B or 1, 6)`."""
    require_size((*x.shape[:2], output_height, output_width), "its result")
    if not align_corners or coordinates_mode != "normalized_minus_one_to_one":
        raise InputError("It has coordinates that affine does not define.")
    column = torch.linspace(-1, 1, output_width)
    row = torch.linspace(-1, 1, output_height)[:, None]
    matrix = transform_matrix.expand(len(x), 6)[:, :, None, None]
    columns = matrix[:, 0] * column + matrix[:, 1] * row + matrix[:, 2]
    rows = matrix[:, 3] * column + matrix[:, 4] * row + matrix[:, 5]
    coordinates = torch.stack((columns, rows), -1)
    return resample(
        x, coordinates, sampling_mode, padding_mode, padding_value, coordinates_mode, align_corners
    )


def _corners(boxes: Tensor, mode: str) -> Tensor:
    """Return boxes `(N, 4)` as top, left, bottom, right."""
    if mode.endswith("WIDTH_FIRST"):
        boxes = boxes[:, [1, 0, 3, 2]]
    if mode.startswith("CORNERS_"):
        return boxes
    if mode.startswith("CENTER_SIZE_"):
        centre, size = boxes[:, :2], boxes[:, 2:]
        return torch.cat((centre - size / 2, centre + size / 2), 1)
    raise InputError(f"It has the unknown box coordinate mode {mode!r}.")


def _box_points(start: Tensor, end: Tensor, count: int, mode: str) -> Tensor:
    """Return `count` points within each interval `(N)`: `(N, count)`."""
    points = start[:, None] + sample_points(end - start, count, mode)
    low, high = torch.minimum(start, end)[:, None], torch.maximum(start, end)[:, None]
    return points.clamp(low, high)


@op("crop_resize", since=17)
def crop_resize_ios17(
    x: Tensor,
    boxes: Tensor,
    box_indices: Tensor | None = None,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Tensor:
    """Resize the boxes `(N, 4)` of the images `(B, C, H, W)`: `(N, C, height, width)`.

    What lies outside the image is `pad_value`.
    """
    count = len(boxes)
    require_size((count, *x.shape[1:]), "its images")
    require_size((count, x.shape[1], target_height, target_width), "its result")
    corners = _corners(boxes.float(), box_coordinate_mode) * spatial_scale
    if normalized_coordinates:
        corners = corners * torch.tensor([x.shape[2] - 1, x.shape[3] - 1] * 2)
    top, left, bottom, right = corners.unbind(1)
    rows = _box_points(top, bottom, target_height, sampling_mode)[:, :, None]
    columns = _box_points(left, right, target_width, sampling_mode)[:, None, :]
    rows, columns = rows.expand(-1, -1, target_width), columns.expand(-1, target_height, -1)
    images = x[torch.arange(count) if box_indices is None else box_indices.long()]
    pixels = _sample(images, rows, columns, "bilinear", "border", 0.0)
    outside = (rows < 0) | (rows > x.shape[2] - 1) | (columns < 0) | (columns > x.shape[3] - 1)
    return torch.where(outside[:, None], pad_value, pixels)


@op("crop_resize")
def crop_resize(
    x: Tensor,
    roi: Tensor,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Tensor:
    """Resize boxes of every image, or of the image that each names.

    roi: `(N, 1, 4, 1, 1)`, which gives `(N, B, C, height, width)`; or `(N, 1, 5, 1, 1)` with the
    number of an image before its box, which gives `(N, 1, C, height, width)`.
    """
    boxes = roi.reshape(len(roi), -1)
    every = boxes.shape[1] == 4
    if boxes.shape[1] not in (4, 5):
        raise InputError(f"It has boxes of the shape {list(roi.shape)}.")
    images = torch.arange(len(x)).repeat(len(boxes)) if every else boxes[:, 0]
    repeated = boxes.repeat_interleave(len(x), 0) if every else boxes[:, 1:]
    result = crop_resize_ios17(
        x,
        repeated,
        images,
        target_height,
        target_width,
        normalized_coordinates,
        spatial_scale,
        box_coordinate_mode,
        sampling_mode,
        pad_value,
    )
    return result.reshape(len(boxes), -1, *result.shape[1:])
