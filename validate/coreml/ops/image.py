# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Sample images at given places: resample and affine."""

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
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


def sample(
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
    return sample(x, rows, columns, sampling_mode, padding_mode, padding_value)


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
