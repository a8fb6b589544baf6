# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Slice, and write into slices."""

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import Ints, op

_Slice = slice | int


def _slices(
    x: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints | None,
    begin_mask: Ints | None,
    end_mask: Ints | None,
    squeeze_mask: Ints | None,
) -> list[_Slice]:
    """Return numpy's slices of each axis: an index where it is squeezed."""
    rank = x.dim()
    given = (begin, end, stride, begin_mask, end_mask, squeeze_mask)
    if any(each is not None and len(each) != rank for each in given):
        raise InputError(f"It slices a tensor of rank {rank} with a list of another length.")
    off = (0,) * rank
    rows = zip(
        begin,
        end,
        stride or (1,) * rank,
        begin_mask or off,
        end_mask or off,
        squeeze_mask or off,
        strict=True,
    )
    return [
        (0 if no_begin else b)
        if single
        else slice(None if no_begin else b, None if no_end else e, s)
        for b, e, s, no_begin, no_end, single in rows
    ]


def _positive(slices: list[_Slice], sizes: Ints) -> tuple[list[_Slice], list[int]]:
    """Turn slices that run backwards into forward ones, and return the axes to flip.

    Axes are those of the result, where squeezed axes are gone.
    """
    forward: list[_Slice] = []
    flipped: list[int] = []
    axis = 0
    for each, size in zip(slices, sizes, strict=True):
        if isinstance(each, int):
            forward.append(each)
            continue
        positions = range(*each.indices(size))
        if positions.step < 0:
            flipped.append(axis)
            positions = positions[::-1]
        stop = max(positions.stop, positions.start)
        forward.append(slice(positions.start, stop, positions.step))
        axis += 1
    return forward, flipped


@op("slice_by_index", exact=True)
def slice_by_index(
    x: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints | None = None,
    begin_mask: Ints | None = None,
    end_mask: Ints | None = None,
    squeeze_mask: Ints | None = None,
) -> Tensor:
    """Return x[begin:end:stride] of each axis, as numpy; masks leave out a bound or the axis."""
    slices = _slices(x, begin, end, stride, begin_mask, end_mask, squeeze_mask)
    forward, flipped = _positive(slices, tuple(x.shape))
    result = x[tuple(forward)]
    return result.flip(flipped) if flipped else result


@op("slice_update", since=18, exact=True)
def slice_update(
    x: Tensor,
    update: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints | None = None,
    begin_mask: Ints | None = None,
    end_mask: Ints | None = None,
    squeeze_mask: Ints | None = None,
) -> Tensor:
    """Return x with `update` in the place of a slice."""
    slices = _slices(x, begin, end, stride, begin_mask, end_mask, squeeze_mask)
    forward, flipped = _positive(slices, tuple(x.shape))
    result = x.clone()
    target = result[tuple(forward)]
    source = update.reshape(target.shape)
    target.copy_(source.flip(flipped) if flipped else source)
    return result


@op("slice_by_size", exact=True)
def slice_by_size(x: Tensor, begin: Ints, size: Ints) -> Tensor:
    """Take `size` elements of each axis from `begin` on, all that are left for -1."""
    for axis, (start, count) in enumerate(zip(begin, size, strict=True)):
        first = start + x.shape[axis] if start < 0 else start
        x = x.narrow(axis, first, x.shape[axis] - first if count == -1 else count)
    return x


@op("sliding_windows", exact=True)
def sliding_windows(x: Tensor, axis: int, size: int, stride: int = 1) -> Tensor:
    """Return all windows of `size` along an axis, in a new axis after it."""
    axis %= x.dim()
    require_size((x.numel(), max(size, 0)), "its result")
    return x.unfold(axis, size, stride).movedim(-1, axis + 1)


@op("crop", exact=True)
def crop(x: Tensor, crop_height: Ints, crop_width: Ints) -> Tensor:
    """Cut amounts off the top and bottom, left and right of `(…, H, W)`."""
    (top, bottom), (left, right) = crop_height, crop_width
    height, width = x.shape[-2] - top - bottom, x.shape[-1] - left - right
    return x.narrow(-2, top, height).narrow(-1, left, width)


@op("reverse", exact=True)
def reverse(x: Tensor, axes: Ints | None = None) -> Tensor:
    """Reverse the order along axes, all by default."""
    return x.flip(tuple(range(x.dim())) if axes is None else axes)


@op("reverse_sequence", exact=True)
def reverse_sequence(x: Tensor, lengths: Ints, seq_axis: int = 0, batch_axis: int = 0) -> Tensor:
    """Reverse the first `lengths[i]` elements of sequence i."""
    result = x.clone()
    sequences = result.movedim((batch_axis, seq_axis), (0, 1))
    if len(lengths) != len(sequences):
        raise InputError(f"It has {len(lengths)} lengths for {len(sequences)} sequences.")
    for sequence, length in zip(sequences, lengths, strict=True):
        sequence[:length] = sequence[:length].flip(0)
    return result


@op("band_part", exact=True)
def band_part(x: Tensor, lower: int = -1, upper: int = -1) -> Tensor:
    """Keep so many diagonals below and above the main one (all if negative), the rest is zero."""
    rows = torch.arange(x.shape[-2])[:, None]
    columns = torch.arange(x.shape[-1])[None]
    keep = torch.ones((x.shape[-2], x.shape[-1]), dtype=torch.bool)
    if lower >= 0:
        keep &= rows - columns <= lower
    if upper >= 0:
        keep &= columns - rows <= upper
    return torch.where(keep, x, torch.zeros((), dtype=x.dtype))
