"""Expand weights that are stored quantized, palettized or sparse, and 8-bit activations.

`constexpr_` operations take constants as stored and give dense ones when a model is loaded.
"""

import math

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.dtypes import unpack
from validate.coreml.limits import require_size
from validate.coreml.ops.elementwise import saturate
from validate.coreml.registry import Ints, Stored, op


def _dense(values: Tensor) -> Tensor:
    """Return float32 for floats, int32 for integers."""
    return values.to(torch.float32 if values.is_floating_point() else torch.int32)


def _along(values: Tensor, axis: int | None, rank: int) -> Tensor:
    """Shape a vector so that it broadcasts along an axis of a tensor."""
    if values.dim() == 0 or axis is None:
        return values.float()
    shape = [1] * rank
    shape[axis] = -1
    return values.float().reshape(shape)


@op("constexpr_affine_dequantize", since=16)
def constexpr_affine_dequantize(
    quantized_data: Stored, zero_point: Stored, scale: Stored, axis: int
) -> Tensor:
    """Return scale · (data - zero point), with one scale for all or for each slice of an axis."""
    rank = quantized_data.dim()
    shifted = quantized_data.float().sub_(_along(zero_point, axis, rank))
    return shifted.mul_(_along(scale, axis, rank))


@op("constexpr_cast", since=16)
def constexpr_cast(source_val: Stored, output_dtype: str) -> Tensor:
    """Return FP16 as FP32."""
    if output_dtype != "fp32":
        raise InputError(f"It casts to {output_dtype!r}; only fp32 is defined.")
    return source_val.float()


def _unpacked(packed: Tensor, bits: int, shape: Ints) -> Tensor:
    """Unpack elements of 1 to 8 bits, which must fill the bytes exactly, to a flat tensor."""
    require_size(shape, "its result")
    count = math.prod(shape)
    if packed.dtype != torch.uint8 or packed.numel() != (count * bits + 7) // 8:
        raise InputError(f"It has {packed.numel()} bytes for {count} elements of {bits} bits.")
    return torch.from_numpy(unpack(packed.numpy().reshape(-1), bits, count))


@op("constexpr_lut_to_dense", since=16)
def constexpr_lut_to_dense(indices: Stored, lut: Stored, shape: Ints) -> Tensor:
    """Look up each element; indices are packed, with as many bits as the table needs."""
    bits = lut.numel().bit_length() - 1
    if lut.numel() not in (2, 4, 8, 16, 64, 256):
        raise InputError(f"It has a table of {lut.numel()} entries.")
    return _dense(lut.reshape(-1))[_unpacked(indices, bits, shape).int()].reshape(shape)


@op("constexpr_sparse_to_dense", since=16)
def constexpr_sparse_to_dense(nonzero_data: Stored, mask: Stored, shape: Ints) -> Tensor:
    """Put the values where the bits of a packed mask are set, zero elsewhere."""
    return _scatter(nonzero_data, _unpacked(mask, 1, shape).reshape(shape))


def _scatter(values: Tensor, mask: Tensor) -> Tensor:
    """Put values where a mask is set."""
    places = mask != 0
    if values.numel() != int(places.sum()):
        raise InputError(f"It has {values.numel()} values for {int(places.sum())} places.")
    result = torch.zeros(mask.shape, dtype=_dense(values).dtype)
    result[places] = _dense(values).reshape(-1)
    return result


@op("constexpr_sparse_to_dense", since=18)
def constexpr_sparse_to_dense_ios18(nonzero_data: Stored, mask: Stored) -> Tensor:
    """Put the values where the mask is 1, zero elsewhere."""
    return _scatter(nonzero_data, mask)


def _spread(blocks: Tensor, shape: Ints) -> Tensor:
    """Repeat each element of `blocks` over its block of a tensor of `shape`."""
    if blocks.dim() != len(shape):
        raise InputError(f"It has blocks of rank {blocks.dim()} for a tensor of rank {len(shape)}.")
    for axis, size in enumerate(shape):
        count = blocks.shape[axis]
        if count == 0 or size % count:
            raise InputError(f"It has {count} blocks for an axis of {size}.")
        if 1 < count < size:
            blocks = blocks.repeat_interleave(size // count, axis)
    return blocks.expand(shape)


@op("constexpr_blockwise_shift_scale", since=18)
def constexpr_blockwise_shift_scale(
    data: Stored, scale: Stored, offset: Stored | None = None
) -> Tensor:
    """Return scale · (data - offset), with one scale and offset for each block."""
    shape = tuple(data.shape)
    values = data.float()
    if offset is not None:
        values = values - _spread(offset.float(), shape)
    return values * _spread(scale.float(), shape)


@op("constexpr_sparse_blockwise_shift_scale", since=18)
def constexpr_sparse_blockwise_shift_scale(
    data_mask: Stored, nonzero_data: Stored, scale: Stored, offset: Stored | None = None
) -> tuple[Tensor, Tensor]:
    """Apply constexpr_blockwise_shift_scale to the values of a sparse tensor; its mask stays."""
    dense = constexpr_blockwise_shift_scale(_scatter(nonzero_data, data_mask), scale, offset)
    return _dense(data_mask), dense[data_mask != 0]


@op("constexpr_lut_to_dense", since=18)
def constexpr_lut_to_dense_ios18(
    indices: Stored, lut: Stored, vector_axis: int | None = None
) -> Tensor:
    """Look up each element, or a vector that fills an axis, in the table of its block.

    lut: `(*blocks, entries, vector size)`, with a block count for each axis of the indices.
    """
    if lut.dim() != indices.dim() + 2:
        raise InputError(f"It has a table of rank {lut.dim()} for indices of {indices.dim()}.")
    entries, vector = lut.shape[-2:]
    if indices.numel() and int(indices.max()) >= entries:
        raise InputError(f"It has an index beyond its table of {entries} entries.")
    require_size((*indices.shape, vector), "its result")
    tables = math.prod(lut.shape[:-2])
    numbers = _spread(torch.arange(tables).reshape(lut.shape[:-2]), tuple(indices.shape))
    values = _dense(lut).reshape(tables, entries, vector)[numbers, indices.long()]
    if vector == 1:
        return values.squeeze(-1)
    if vector_axis is None:
        raise InputError("It has vectors in its table but no axis for them.")
    axis = vector_axis % indices.dim()
    return values.movedim(-1, axis + 1).flatten(axis, axis + 1)


@op("constexpr_lut_to_sparse", since=18)
def constexpr_lut_to_sparse(
    indices_mask: Stored, indices_nonzero_data: Stored, lut: Stored, vector_axis: int | None = None
) -> tuple[Tensor, Tensor]:
    """Apply constexpr_lut_to_dense to the indices of a sparse tensor; return mask and values."""
    indices = _scatter(indices_nonzero_data, indices_mask)
    dense = constexpr_lut_to_dense_ios18(indices, lut, vector_axis)
    mask = _dense(indices_mask)
    if lut.shape[-1] > 1 and vector_axis is not None:
        mask = mask.repeat_interleave(lut.shape[-1], vector_axis)
    return mask, dense[mask != 0]


@op("quantize", since=17)
def quantize(
    input: Tensor,
    scale: Tensor,
    output_dtype: str,
    zero_point: Tensor | None = None,
    axis: int | None = None,
) -> Tensor:
    """Round (ties to even) input / scale, plus the zero point, saturated to int8 or uint8."""
    rounded = torch.round(input / _along(scale, axis, input.dim()))
    if zero_point is not None:
        rounded = rounded + _along(zero_point, axis, input.dim())
    return saturate(rounded, output_dtype)


@op("dequantize", since=17)
def dequantize(
    input: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    axis: int | None = None,
) -> Tensor:
    """Return scale · (input - zero point)."""
    values = input.float()
    if zero_point is not None:
        values = values - _along(zero_point, axis, input.dim())
    return values * _along(scale, axis, input.dim())
