"""Rearrange a tensor's elements between axes, pad it and repeat it."""

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.ops.padding import Padding
from validate.coreml.registry import Ints, op


@op("pixel_shuffle", exact=True)
def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """Rearrange `(N, C f f, H, W)` to `(N, C, H f, W f)`, channels of one pixel side by side."""
    return functional.pixel_shuffle(x, upscale_factor)


@op("pixel_unshuffle", since=16, exact=True)
def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """Undo pixel_shuffle."""
    return functional.pixel_unshuffle(x, downscale_factor)


@op("depth_to_space", exact=True)
def depth_to_space(x: Tensor, block_size: int) -> Tensor:
    """Rearrange `(N, b b C, H, W)` to `(N, C, H b, W b)`, whole images of channels side by side."""
    n, c, h, w = x.shape
    b = block_size
    blocks = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
    return blocks.reshape(n, c // (b * b), h * b, w * b)


@op("space_to_depth", exact=True)
def space_to_depth(x: Tensor, block_size: int) -> Tensor:
    """Undo depth_to_space."""
    n, c, h, w = x.shape
    b = block_size
    blocks = x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4)
    return blocks.reshape(n, c * b * b, h // b, w // b)


@op("space_to_batch", exact=True)
def space_to_batch(x: Tensor, block_shape: Ints, paddings: Ints) -> Tensor:
    """Pad `(N, C, H, W)` and move blocks of pixels into the batch."""
    x = Padding((paddings[0], paddings[2]), (paddings[1], paddings[3])).pad(x)
    n, c, h, w = x.shape
    high, wide = block_shape
    blocks = x.reshape(n, c, h // high, high, w // wide, wide).permute(3, 5, 0, 1, 2, 4)
    return blocks.reshape(n * high * wide, c, h // high, w // wide)


@op("batch_to_space", exact=True)
def batch_to_space(x: Tensor, block_shape: Ints, crops: Ints) -> Tensor:
    """Undo space_to_batch; crop what was padded."""
    n, c, h, w = x.shape
    high, wide = block_shape
    blocks = x.reshape(high, wide, n // (high * wide), c, h, w).permute(2, 3, 4, 0, 5, 1)
    whole = blocks.reshape(n // (high * wide), c, h * high, w * wide)
    top, bottom, left, right = crops
    return whole[:, :, top : h * high - bottom, left : w * wide - right]


@op("tile", exact=True)
def tile(x: Tensor, reps: Ints) -> Tensor:
    """Repeat each axis."""
    if len(reps) != x.dim():
        raise InputError(f"It repeats a tensor of rank {x.dim()} by {list(reps)}.")
    require_size((n * r for n, r in zip(x.shape, reps, strict=True)), "its result")
    return x.repeat(reps)


@op("pad", exact=True)
def pad(x: Tensor, pad: Ints, mode: str = "constant", constant_val: float = 0.0) -> Tensor:
    """Pad the last axes by [before, after, …], by a constant, by reflection or by the edge."""
    if len(pad) % 2 or len(pad) > 2 * x.dim() or min(pad, default=0) < 0:
        raise InputError(f"It has a pad of {list(pad)} for a tensor of rank {x.dim()}.")
    before, after = tuple(pad[0::2]), tuple(pad[1::2])
    if mode == "constant":
        return Padding(before, after).pad(x, constant_val)
    if mode not in ("reflect", "replicate"):
        raise InputError(f"It has the unknown mode {mode!r}.")
    leading = x.dim() - len(before)
    sizes = Padding(before, after).padded(tuple(x.shape[leading:]))
    require_size((*x.shape[:leading], *sizes), "its result")
    for axis, (left, right) in enumerate(zip(before, after, strict=True), start=leading):
        if left or right:
            x = x.index_select(axis, _positions(x.shape[axis], left, right, mode))
    return x


def _positions(size: int, left: int, right: int, mode: str) -> Tensor:
    """Return the positions that padding by reflection or by the edge takes its values from."""
    positions = torch.arange(-left, size + right)
    if mode == "replicate":
        return positions.clamp(0, size - 1)
    if max(left, right) >= size:
        raise InputError(f"It reflects {max(left, right)} elements of an axis of {size}.")
    return size - 1 - (size - 1 - positions.abs()).abs()
