"""Slice and split along axes."""

from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork.layers.reduction import require_axis
from validate.coreml.neuralnetwork.layers.shape import integers
from validate.coreml.neuralnetwork.registry import Arity, Compute, at_least, choose, layer
from validate.coreml.ops import slicing as ops
from validate.coreml.ops.shape import split as split_along
from validate.coreml.registry import Ints


@layer("slice")
def slice_classic(params: Any, _: Arity) -> Compute:
    """Return x[start:end:stride] along the channels, the height or the width."""
    axis = choose((-3, -2, -1), params.axis, "axis")
    start, end, stride = params.startIndex, params.endIndex, params.stride or 1

    def apply(x: Tensor) -> Tensor:
        require_axis(x, axis)
        chosen = slice(start, end, stride)
        return x[(..., chosen, *(slice(None),) * (-axis - 1))]

    return apply


@layer("sliceStatic")
def slice_static(params: Any, _: Arity) -> Compute:
    """Return x[begin:end:stride] of each axis; masks leave out a bound or the axis."""
    begin, end = tuple(params.beginIds), tuple(params.endIds)
    options = tuple(
        tuple(given) or None
        for given in (params.strides, params.beginMasks, params.endMasks, params.squeezeMasks)
    )
    return lambda x: _slice(x, begin, end, *options)


def _slice(x: Tensor, begin: Ints, end: Ints, *options: Ints | None) -> Tensor:
    """Slice as MIL does, but keep of a squeezed axis the first element of its slice.

    Where the slice runs backwards and has no begin, that is the last element of the axis.
    """
    stride, begin_mask, end_mask, squeeze_mask = options
    if stride and begin_mask and squeeze_mask:
        backwards = [
            step < 0 and bool(free) and bool(single)
            for step, free, single in zip(stride, begin_mask, squeeze_mask, strict=True)
        ]
        begin = tuple(-1 if last else b for b, last in zip(begin, backwards, strict=True))
        begin_mask = tuple(
            0 if last else free for free, last in zip(begin_mask, backwards, strict=True)
        )
    return ops.slice_by_index(x, begin, end, stride, begin_mask, end_mask, squeeze_mask)


@layer("sliceDynamic", inputs=(2, 7))
def slice_dynamic(params: Any, _: Arity) -> Compute:
    """Compute sliceStatic with begin and then end, strides and masks as inputs, as far as given."""
    fixed = tuple(
        tuple(given) or None
        for given in (
            params.endIds,
            params.strides,
            params.beginMasks,
            params.endMasks,
            params.squeezeMasks,
        )
    )

    def apply(x: Tensor, begin: Tensor, *others: Tensor) -> Tensor:
        given = tuple(integers(each) for each in others)
        # coremltools writes five of each, whatever the rank.
        options = (*given, *(each and each[: x.dim()] for each in fixed[len(given) :]))
        if options[0] is None:
            raise InputError("It has no end.")
        return _slice(x, integers(begin), options[0], *options[1:])

    return apply


@layer("sliceBySize", inputs=2)
def slice_by_size(params: Any, _: Arity) -> Compute:
    """Take so many elements along an axis, from the position in the second input on."""
    axis, size = params.axis, params.size

    def apply(x: Tensor, begin: Tensor) -> Tensor:
        require_axis(x, axis)
        (start,) = integers(begin)
        return x.narrow(axis, start, size)

    return apply


@layer("slidingWindows")
def sliding_windows(params: Any, _: Arity) -> Compute:
    """Return all windows along an axis, in a new axis after it."""
    axis, size, step = params.axis, params.windowSize, params.step or 1

    def apply(x: Tensor) -> Tensor:
        require_axis(x, axis)
        return ops.sliding_windows(x, axis, size, step)

    return apply


@layer("split", outputs=at_least(1))
def split(_: Any, arity: Arity) -> Compute:
    """Split the channels into equal parts."""
    count = arity.outputs
    return lambda x: split_along(x, -3, count)


@layer("splitND", outputs=at_least(1))
def split_nd(params: Any, arity: Arity) -> Compute:
    """Split an axis into parts of given sizes, or of sizes that differ by one at most."""
    axis, count, fixed = params.axis, arity.outputs, tuple(params.splitSizes)
    if fixed and len(fixed) != count:
        raise InputError(f"It has {count} outputs but {len(fixed)} sizes.")

    def apply(x: Tensor) -> Any:
        require_axis(x, axis)
        least, larger = divmod(x.shape[axis], count)
        even = tuple(least + 1 if part < larger else least for part in range(count))
        return split_along(x, axis, None, fixed or even)

    return apply


@layer("reverseSeq", inputs=2)
def reverse_sequence(params: Any, _: Arity) -> Compute:
    """Reverse the first elements of each sequence, as many as the second input says."""
    batch, sequence = params.batchAxis, params.sequenceAxis
    return lambda x, lengths: ops.reverse_sequence(x, integers(lengths), sequence, batch)


@layer("matrixBandPart")
def matrix_band_part(params: Any, _: Arity) -> Compute:
    """Keep diagonals around the main one of the last two dimensions."""
    lower, upper = params.numLower, params.numUpper
    return lambda x: ops.band_part(x, lower, upper)


@layer("lowerTriangular")
def lower_triangular(params: Any, _: Arity) -> Compute:
    """Keep what lies on and below a diagonal."""
    diagonal = params.k
    return lambda x: torch.tril(x, diagonal)


@layer("upperTriangular")
def upper_triangular(params: Any, _: Arity) -> Compute:
    """Keep what lies on and above a diagonal."""
    diagonal = params.k
    return lambda x: torch.triu(x, diagonal)
