"""Read weight files (`weights/weight.bin`, MIL blob storage version 2), every offset checked.

    file    header (64 bytes): count u32, version u32 = 2, zeros
            then blobs, each at a multiple of 64 bytes:
    blob    metadata (64 bytes): sentinel u32 = 0xDEADBEEF, data type u32, size in bytes u64,
            offset of the data u64, padding in bits u64 (for types below 8 bits), zeros
            data, somewhere in the file

Programs point at a blob's metadata.
"""

import mmap
import struct
from pathlib import Path

import numpy as np

from models.errors import InputError
from validate.coreml.dtypes import DType, unpack

_HEADER = struct.Struct("<II")
_METADATA = struct.Struct("<IIQQQ")
_VERSION = 2
_SENTINEL = 0xDEADBEEF
_ALIGNMENT = 64


class BlobFile:
    """Read one weight file, mapped into memory: arrays read from it are views of the file.

    Raises:
        InputError: if the file is no blob storage of version 2.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            with path.open("rb") as file:
                # A private mapping: its arrays are writable, as torch wants, and the file is not.
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise InputError(f"Its weight file {self._name} cannot be read: {error}.") from None
        if len(self._bytes) < _ALIGNMENT:
            raise InputError(f"Its weight file {self._name} is cut off.")
        version = _HEADER.unpack_from(self._bytes, 0)[1]
        if version != _VERSION:
            raise InputError(f"Its weight file {self._name} has version {version} instead of 2.")

    def read(self, offset: int, dtype: DType, count: int) -> np.ndarray:
        """Return the `count` elements of the blob whose metadata is at `offset`, as a flat array.

        Raises:
            InputError: if the blob is not where the program says, or not what it says.
        """
        where = f"The weight at offset {offset} of {self._name}"
        start, size = self._locate(offset, dtype, where)
        expected = (count * dtype.bits + 7) // 8
        if size != expected:
            raise InputError(f"{where} has {size} bytes, but its declared shape needs {expected}.")
        if dtype.bits < 8:
            packed = np.frombuffer(self._bytes, np.uint8, size, start)
            return unpack(packed, dtype.bits, count, signed=dtype.storage == "int8")
        return np.frombuffer(self._bytes, np.dtype(dtype.storage), count, start)

    def _locate(self, offset: int, dtype: DType, where: str) -> tuple[int, int]:
        """Return where the data of a blob starts and its size in bytes, both within the file."""
        total = len(self._bytes)
        if offset % _ALIGNMENT or offset + _METADATA.size > total:
            raise InputError(f"{where} is out of bounds: the file has {total} bytes.")
        sentinel, number, size, start, _ = _METADATA.unpack_from(self._bytes, offset)
        if sentinel != _SENTINEL:
            raise InputError(f"{where} does not begin with a blob's mark: the file is damaged.")
        if number != dtype.blob:
            raise InputError(f"{where} is not stored as {dtype.name}, as the program declares.")
        if start % _ALIGNMENT or start + size > total:
            raise InputError(f"{where} is cut off: the file has {total} bytes.")
        return start, size
