"""List the data types of MIL: their names, how they are stored, and how they are computed with.

Values in flight have only three representations: float32 for every float type, int32 for every
integer type and bool. What a value was declared as is kept beside it, in the program; rounding to
fp16 is the executor's work and saturation to int8 the casting operation's.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.errors import InputError


@dataclass(frozen=True, slots=True)
class DType:
    """Describe a MIL data type.

    Attributes:
        name: as MIL prints it, "fp16" say.
        number: its number in the protobuf enum `DataType`.
        bits: bits of one element as stored.
        storage: numpy type of one element once unpacked.
        kind: "float", "int", "bool" or "str".
        blob: its number in the header of a blob in a weight file, None where it has none.
    """

    name: str
    number: int
    bits: int
    storage: str
    kind: str
    blob: int | None = None


_ALL = (
    DType("bool", 1, 8, "bool", "bool"),
    DType("str", 2, 0, "object", "str"),
    DType("fp16", 10, 16, "float16", "float", 1),
    DType("fp32", 11, 32, "float32", "float", 2),
    DType("fp64", 12, 64, "float64", "float"),
    DType("int8", 21, 8, "int8", "int", 4),
    DType("int16", 22, 16, "int16", "int", 6),
    DType("int32", 23, 32, "int32", "int", 14),
    DType("int64", 24, 64, "int64", "int"),
    DType("int4", 25, 4, "int8", "int", 8),
    DType("uint8", 31, 8, "uint8", "int", 3),
    DType("uint16", 32, 16, "uint16", "int", 7),
    DType("uint32", 33, 32, "uint32", "int", 15),
    DType("uint64", 34, 64, "uint64", "int"),
    DType("uint4", 35, 4, "uint8", "int", 11),
    DType("uint2", 36, 2, "uint8", "int", 10),
    DType("uint1", 37, 1, "uint8", "int", 9),
    DType("uint6", 38, 6, "uint8", "int", 13),
    DType("uint3", 39, 3, "uint8", "int", 12),
)
BY_NAME = {dtype.name: dtype for dtype in _ALL}
_BY_NUMBER = {dtype.number: dtype for dtype in _ALL}
_IN_FLIGHT = {"float": torch.float32, "int": torch.int32, "bool": torch.bool}


def by_number(number: int) -> DType:
    """Return the type with this number in the protobuf enum.

    Raises:
        InputError: if the runtime does not know the type (bfloat16 and the float8 types occur in
            no operation of the iOS 15 to iOS 18 opsets).
    """
    if number not in _BY_NUMBER:
        raise InputError(f"It uses data type number {number}, which is not a type of iOS 15 to 18.")
    return _BY_NUMBER[number]


def unpack(packed: np.ndarray, bits: int, count: int, *, signed: bool = False) -> np.ndarray:
    """Unpack `count` elements of 1 to 8 bits, the first in the lowest bits of its byte.

    >>> unpack(np.array([0x21], np.uint8), 4, 2)
    array([1, 2], dtype=uint8)
    """
    values: np.ndarray
    if 8 % bits == 0:
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        values = ((packed[:, None] >> shifts) & np.uint8(2**bits - 1)).reshape(-1)[:count]
    else:
        single = np.unpackbits(packed, bitorder="little")[: count * bits].reshape(count, bits)
        values = np.packbits(single, axis=1, bitorder="little")[:, 0]
    if signed:
        sign = np.uint8(1 << (bits - 1))
        values = (values ^ sign).astype(np.int8) - np.int8(sign)
    return values


def as_tensor(array: np.ndarray) -> Tensor:
    """Copy an array into a tensor that is computed with: float32, int32 or bool."""
    kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}[array.dtype.kind]
    if array.dtype == np.float16:
        return _own(array).view(torch.float16).to(torch.float32)
    if kind == "int" and array.dtype.itemsize > 4:
        array = np.clip(array, -(2**31), 2**31 - 1)
    return torch.from_numpy(np.array(array, _IN_FLIGHT_NUMPY[kind], order="C"))


_IN_FLIGHT_NUMPY = {"float": np.float32, "int": np.int32, "bool": np.bool_}


def _own(array: np.ndarray) -> Tensor:
    """Return a tensor of 16-bit integers over the array, copied only where it cannot be shared."""
    if not array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy()
    return torch.from_numpy(array.view(np.int16))


def in_flight(dtype: DType) -> torch.dtype:
    """Return the tensor type that represents this type while computing."""
    return _IN_FLIGHT[dtype.kind]
