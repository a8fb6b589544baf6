"""Reorder, join, repeat and pad elements."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork.batch_axes import over_batch, require_rank
from validate.coreml.neuralnetwork.layers.convolution import borders
from validate.coreml.neuralnetwork.layers.shape import integers
from validate.coreml.neuralnetwork.registry import Arity, Compute, at_least, choose, layer
from validate.coreml.ops import transformation as ops
from validate.coreml.ops.shape import concat


@layer("transpose")
def transpose(params: Any, _: Arity) -> Compute:
    """Permute the axes; those of an array (C, H, W) are also taken for an image of batch 1."""
    axes = tuple(params.axes)

    def apply(x: Tensor) -> Tensor:
        one_image = len(axes) == 3 and x.dim() == 4 and len(x) == 1
        return (x[0] if one_image else x).permute(axes)

    return apply


@layer("permute")
def permute(params: Any, _: Arity) -> Compute:
    """Permute the axes [Seq, C, H, W] of `(Seq, N, C, H, W)`; N stays where it is."""
    places = (0, 2, 3, 4)
    order = tuple(params.axis) or (0, 1, 2, 3)
    if sorted(order) != [0, 1, 2, 3]:
        raise InputError(f"It has the axes {list(order)}, which are no order of four.")
    first, *others = (places[each] for each in order)

    def apply(x: Tensor) -> Tensor:
        if x.dim() == 4 and first == 0:
            return x.permute(0, *(each - 1 for each in others))
        return x.permute(first, 1, *others)

    return apply


@layer("concat", inputs=at_least(1))
def concat_channels(params: Any, _: Arity) -> Compute:
    """Join tensors along the channels, or along the sequence."""
    axis = -5 if params.sequenceConcat else -3
    return lambda *values: torch.cat(values, axis)


@layer("concatND", inputs=at_least(1))
def concat_nd(params: Any, _: Arity) -> Compute:
    """Join tensors along an axis, or take their slices in turn."""
    axis, interleave = params.axis, params.interleave
    return lambda *values: concat(values, axis, interleave)


@layer("stack", inputs=at_least(1))
def stack(params: Any, _: Arity) -> Compute:
    """Join tensors along a new axis."""
    axis = params.axis
    return lambda *values: torch.stack(values, axis)


@layer("tile", inputs=(1, 2))
def tile(params: Any, _: Arity) -> Compute:
    """Repeat the last axes as often as the parameters, or the second input, say."""
    fixed = tuple(params.reps)

    def apply(x: Tensor, given: Tensor | None = None) -> Tensor:
        reps = fixed if given is None else integers(given)
        return ops.tile(x, (1,) * (x.dim() - len(reps)) + reps)

    return apply


@layer("sequenceRepeat")
def sequence_repeat(params: Any, _: Arity) -> Compute:
    """Repeat the sequence of `(Seq, N, C, H, W)`."""
    count = params.nRepetitions or 1

    def apply(x: Tensor) -> Tensor:
        require_rank(x, 5)
        return ops.tile(x, (*(1,) * (x.dim() - 5), count, 1, 1, 1, 1))

    return apply


@layer("reorganizeData")
def reorganize_data(params: Any, _: Arity) -> Compute:
    """Move blocks of pixels of `(…, C, H, W)` into the channels, or back."""
    modes = (ops.space_to_depth, ops.depth_to_space, ops.pixel_shuffle)
    function: Callable[[Tensor, int], Tensor] = choose(modes, params.mode, "mode")
    size = params.blockSize
    if not 1 <= size < 2**15:
        raise InputError(f"It has the block size {size}.")
    return lambda x: over_batch(x, lambda y: function(y, size))


@layer("reverse")
def reverse(params: Any, _: Arity) -> Compute:
    """Reverse the order along the chosen axes."""
    chosen = tuple(params.reverseDim)

    def apply(x: Tensor) -> Tensor:
        if len(chosen) != x.dim():
            raise InputError(f"It reverses {len(chosen)} axes of the shape {list(x.shape)}.")
        return x.flip([axis for axis, reversed_ in enumerate(chosen) if reversed_])

    return apply


@layer("padding")
def padding(params: Any, _: Arity) -> Compute:
    """Pad height and width by a constant, by reflection or by the edge."""
    kind = params.WhichOneof("PaddingType") or "constant"
    mode = {"constant": "constant", "reflection": "reflect", "replication": "replicate"}[kind]
    value, amounts = params.constant.value, borders(params.paddingAmounts)
    return lambda x: ops.pad(x, amounts, mode, value)


@layer("constantPad", inputs=(1, 2))
def constant_pad(params: Any, _: Arity) -> Compute:
    """Pad each axis by amounts [before, after, …], or up to sizes, by a constant."""
    fixed, value, to_size = tuple(params.padAmounts), params.value, params.padToGivenOutputSizeMode

    def apply(x: Tensor, amounts: Tensor | None = None) -> Tensor:
        pad = fixed if amounts is None else integers(amounts)
        if len(pad) != 2 * x.dim():
            raise InputError(f"It has {len(pad)} amounts for the shape {list(x.shape)}.")
        if to_size:
            sizes = (size for size in x.shape for _ in range(2))
            pad = tuple(max(n - size, 0) for n, size in zip(pad, sizes, strict=True))
        return ops.pad(x, pad, "constant", value)

    return apply


@layer("crop", inputs=(1, 2))
def crop(params: Any, arity: Arity) -> Compute:
    """Cut borders off `(…, H, W)`, or cut out the size of the second input."""
    if arity.inputs == 2:
        top, left = tuple(params.offset) or (0, 0)
        return lambda x, like: _cut(x, top, left, like.shape[-2], like.shape[-1])
    above, below, before, after = borders(params.cropAmounts)
    return lambda x: _cut(
        x, above, before, x.shape[-2] - above - below, x.shape[-1] - before - after
    )


def _cut(x: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    require_rank(x, 2)
    return x.narrow(-2, top, height).narrow(-1, left, width)
