"""Bring indices of gather and scatter into range, as their opset does.

Up to iOS 16 an index may be negative, counted from the end, and one out of range is an error. From
iOS 17 on it may not, and only `validate_indices` makes one out of range an error: otherwise what
comes of it is undefined, but safe. Here gather then takes the nearest element and scatter none.
"""

import torch
from torch import Tensor

from models.errors import InputError


def wrapped(indices: Tensor, size: int) -> Tensor:
    """Return indices with the negative ones counted from the end.

    Raises:
        InputError: if one is out of range.
    """
    indices = indices.long()
    indices = torch.where(indices < 0, indices + size, indices)
    require_in_range(indices, size)
    return indices


def require_in_range(indices: Tensor, size: int) -> None:
    """Refuse indices below 0 or not below `size`.

    Raises:
        InputError: if there is one.
    """
    if bool(out_of_range(indices, size).any()):
        raise InputError(f"It has an index out of range: the size is {size}.")


def out_of_range(indices: Tensor, size: int) -> Tensor:
    """Return where indices are below 0 or not below `size`."""
    return (indices < 0) | (indices >= size)


def clamped(indices: Tensor, size: int, *, validate: bool) -> Tensor:
    """Return the nearest indices in range (iOS 17).

    Raises:
        InputError: if one is out of range and `validate` is set, or there is nothing to take.
    """
    indices = indices.long()
    if validate or size == 0:
        require_in_range(indices, size)
    return indices.clamp(0, max(size - 1, 0))


def axis_of(x: Tensor, axis: int) -> int:
    """Return an axis counted from the front.

    Raises:
        InputError: if `x` does not have it.
    """
    if not -x.dim() <= axis < x.dim():
        raise InputError(f"It has the axis {axis} for an input of rank {x.dim()}.")
    return axis % x.dim()
