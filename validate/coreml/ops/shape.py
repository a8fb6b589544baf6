"""Change a tensor's shape, join tensors and take them apart."""

import math

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import Ints, Tensors, op


@op("identity", exact=True)
def identity(x: Tensor) -> Tensor:
    """Return x itself."""
    return x


@op("shape", exact=True)
def shape(x: Tensor) -> Tensor:
    """Return the sizes of x."""
    return torch.tensor(x.shape, dtype=torch.int32)


@op("reshape", exact=True)
def reshape(x: Tensor, shape: Ints) -> Tensor:
    """Give x another shape; 0 keeps the size at its place from the right, -1 takes what is left."""
    if 0 in shape:
        own = ((1,) * len(shape) + tuple(x.shape))[-len(shape) :]
        shape = tuple(n or o for n, o in zip(shape, own, strict=True))
    return x.reshape(shape)


@op("reshape_like", since=16, exact=True)
def reshape_like(
    x: Tensor, ref_tensors: Tensors, begins: Ints, ends: Ints, end_masks: Ints
) -> Tensor:
    """Give x a shape put together from parts of the shapes of other tensors."""
    sizes: list[int] = []
    for other, begin, end, to_end in zip(ref_tensors, begins, ends, end_masks, strict=True):
        sizes += other.shape[begin:] if to_end else other.shape[begin:end]
    return x.reshape(sizes)


@op("expand_dims", exact=True)
def expand_dims(x: Tensor, axes: Ints) -> Tensor:
    """Insert axes of size 1; axes count in the result."""
    rank = x.dim() + len(axes)
    for axis in sorted(axis + rank if axis < 0 else axis for axis in axes):
        x = x.unsqueeze(axis)
    return x


@op("squeeze", exact=True)
def squeeze(x: Tensor, axes: Ints | None = None) -> Tensor:
    """Remove axes of size 1; other sizes stay."""
    return x.squeeze() if axes is None else x.squeeze(axes)


@op("flatten2d", exact=True)
def flatten2d(x: Tensor, axis: int = 1) -> Tensor:
    """Flatten the axes before and from `axis` on to a matrix."""
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


@op("transpose", exact=True)
def transpose(x: Tensor, perm: Ints) -> Tensor:
    """Permute the axes."""
    return x.permute(perm) if x.dim() else x


@op("concat", exact=True)
def concat(values: Tensors, axis: int, interleave: bool = False) -> Tensor:
    """Join tensors along an axis; `interleave` takes their slices in turn."""
    if not values:
        raise InputError("It joins no tensors.")
    require_size((sum(value.numel() for value in values),), "its result")
    if all(value.dim() == 0 for value in values):
        return torch.stack(values)
    if not interleave:
        return torch.cat(values, axis)
    axis %= values[0].dim()
    return torch.stack(values, axis + 1).flatten(axis, axis + 1)


@op("stack", exact=True)
def stack(values: Tensors, axis: int) -> Tensor:
    """Join tensors along a new axis."""
    require_size((sum(value.numel() for value in values),), "its result")
    return torch.stack(values, axis)


@op("split", exact=True)
def split(
    x: Tensor, axis: int, num_splits: int | None = None, split_sizes: Ints | None = None
) -> Tensors | Tensor:
    """Take a tensor apart along an axis, evenly or into given sizes."""
    size = x.shape[axis]
    if split_sizes is None:
        if num_splits is None or num_splits < 1 or size % num_splits:
            raise InputError(f"It splits {size} elements into {num_splits} equal parts.")
        split_sizes = (size // num_splits,) * num_splits
    parts: Tensors = torch.split(x, list(split_sizes), axis)
    return parts if len(parts) != 1 else parts[0]
