"""Read weights that a Core ML file stores in few bits: each number is an index into a table.

    lut_to_dense            value = table[index], a table for the weight or for groups of channels
    affine_dequantize       value = scale · (index - zero point), a scale for each channel
    blockwise_shift_scale   the same since iOS 18

What these operations mean is written down here once more, in NumPy, so that the reference runtime
is not judged by itself. Other forms are not read: Segport writes none.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.dtypes import unpack

TABLE = "constexpr_lut_to_dense"
LINEAR = "constexpr_affine_dequantize"
BLOCKS = "constexpr_blockwise_shift_scale"
MOST_TABLES = 1 << 16
"""So many scales of a weight are read: each stands for a table of 256 numbers."""
Array = NDArray[Any]
Constants = Mapping[str, ir.Argument]


@dataclass(frozen=True)
class CompressedWeight:
    """Hold a weight whose numbers are `indices` into `tables (T, entries)`.

    `rows` says which table each number has: it broadcasts to the shape of the indices.
    """

    indices: NDArray[np.uint8]
    tables: Array
    rows: NDArray[np.int64]

    @property
    def values(self) -> Array:
        """Return the numbers themselves, in the type that the file declares."""
        dense: Array = self.tables[self.rows, self.indices]
        return dense

    def offered(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return every number that the form could hold at flat `positions`, a row each."""
        places = np.unravel_index(positions, self.indices.shape)
        rows = np.broadcast_to(self.rows, self.indices.shape)[places]
        return np.asarray(self.tables[rows], np.float64)


def compressed_weights(
    operations: Sequence[ir.Operation], constants: Constants
) -> dict[str, CompressedWeight]:
    """Return what `constexpr_` operations expand, by the name of the value that they give.

    Raises InputError where one contradicts itself, or is one that Segport does not write.
    """
    found: dict[str, CompressedWeight] = {}
    for operation in operations:
        if not operation.type.startswith("constexpr_"):
            continue
        if operation.type not in (TABLE, LINEAR, BLOCKS):
            raise InputError(f"{operation.name} is stored by {operation.type}: it is not judged.")
        try:
            found[operation.outputs[0].name] = _read(operation, constants)
        except (IndexError, KeyError, ValueError) as error:
            raise InputError(f"{operation.name} contradicts itself ({error}).") from None
    return found


def _read(operation: ir.Operation, constants: Constants) -> CompressedWeight:
    dtype = _declared(operation)
    given = {name: _array(each, constants) for name, each in operation.inputs.items()}
    if operation.type == TABLE:
        return _from_table(given, dtype)
    data = given["quantized_data"] if operation.type == LINEAR else given["data"]
    blocks = given["scale"]
    if operation.type == LINEAR and blocks.ndim:
        blocks = blocks.reshape([-1 if n == int(given["axis"]) else 1 for n in range(data.ndim)])
    shift = given.get("zero_point", given.get("offset", np.zeros((), np.int8)))
    return _linear(data, blocks.reshape(blocks.shape or (1,) * data.ndim), shift, dtype)


def _from_table(given: Mapping[str, Array], dtype: np.dtype[Any]) -> CompressedWeight:
    table, indices = given["lut"].astype(dtype), given["indices"]
    if "shape" in given:  # iOS 16: packed indices into one table
        shape = tuple(int(size) for size in given["shape"])
        bits, count = (table.size - 1).bit_length(), math.prod(shape)
        if table.size != 1 << bits or indices.size != (count * bits + 7) // 8:
            raise ValueError(f"{indices.size} bytes are not {count} indices of {bits} bits")
        indices = unpack(indices.reshape(-1), bits, count).reshape(shape)
        table = table.reshape((1,) * len(shape) + (-1, 1))
    *blocks, entries, vector = table.shape
    if vector != 1 or int(indices.max(initial=0)) >= entries:
        raise ValueError(f"its indices do not fit a table of {entries} entries of {vector}")
    return CompressedWeight(indices, table.reshape(-1, entries), _rows(blocks, indices.shape))


def _linear(data: Array, scale: Array, shift: Array, dtype: np.dtype[Any]) -> CompressedWeight:
    """Return a weight `scale · (data - shift)`: a table of all 256 bytes for each scale."""
    if data.dtype not in (np.int8, np.uint8) or scale.size > MOST_TABLES:
        raise ValueError(f"it has {scale.size:,} scales for numbers of {data.dtype}")
    least = int(np.iinfo(data.dtype).min)
    steps = np.arange(least, least + 256) - np.broadcast_to(
        shift.astype(np.int64).reshape(-1, 1), (scale.size, 1)
    )
    tables = (scale.reshape(-1, 1).astype(np.float32) * steps).astype(dtype)
    indices = (data.astype(np.int16) - least).astype(np.uint8)
    return CompressedWeight(indices, tables, _rows(scale.shape, data.shape))


def _rows(blocks: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Number the blocks, and repeat each number along the axes that are divided into several."""
    rows = np.arange(math.prod(blocks)).reshape(tuple(blocks))
    for axis, (count, size) in enumerate(zip(blocks, shape, strict=True)):
        if not count or size % count:
            raise ValueError(f"blocks of {tuple(blocks)} do not divide {shape}")
        if 1 < count < size:
            rows = np.repeat(rows, size // count, axis)
    return rows


def _declared(operation: ir.Operation) -> np.dtype[Any]:
    kind = operation.outputs[0].type
    if not isinstance(kind, ir.TensorType) or kind.dtype.kind != "float":
        raise ValueError("it does not give floating-point numbers")
    return np.dtype(kind.dtype.storage)


def _array(arguments: tuple[ir.Argument, ...], constants: Constants) -> Array:
    held = constants.get(arguments[0]) if isinstance(arguments[0], str) else arguments[0]
    if not isinstance(held, ir.Constant) or not isinstance(held.data, np.ndarray):
        raise InputError("A compressed weight is computed from others, which is not judged.")
    return held.data
