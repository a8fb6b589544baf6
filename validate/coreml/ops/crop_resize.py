# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Cut boxes out of images and resize them: crop_resize."""

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.ops.image import sample
from validate.coreml.ops.resize import sample_points
from validate.coreml.registry import op


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
    pixels = sample(images, rows, columns, "bilinear", "border", 0.0)
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
