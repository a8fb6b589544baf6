"""Read bytes of a file as tensors, and cut strided tensors out of them."""

import os
import weakref
import zlib
from pathlib import Path

import torch

from models.checkpoints.budget import BYTES, budget_for
from models.checkpoints.pickles.records import BrokenFile, StoredTensor

FLOATS = ("float16", "bfloat16", "float32", "float64")
FLOATS8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
INTEGERS = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 bool".split()
USABLE_DTYPES = {name: getattr(torch, name) for name in (*FLOATS, *FLOATS8, *INTEGERS)}


class RawFile:
    """Read a file's bytes into memory of their own when they are asked for.

    Nothing is mapped: a file that somebody overwrites meanwhile would end the process (SIGBUS).
    The file stays open, so that one that is replaced is read to its end as it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = path.open("rb")
        weakref.finalize(self, self.stream.close)
        found = os.fstat(self.stream.fileno())
        self.size = found.st_size
        self.budget = budget_for(self.size, 512 * getattr(found, "st_blocks", 0))

    def slice(self, start: int, length: int) -> torch.Tensor:
        """Return the bytes [start, start + length) as a uint8 tensor; BrokenFile beyond the end."""
        if start < 0 or length < 0 or start + length > self.size:
            raise BrokenFile("a record reaches beyond the end of the file")
        self.budget.spend(BYTES, length)
        data = torch.empty(length, dtype=torch.uint8)
        self.stream.seek(start)
        if self.stream.readinto(data.numpy().data) != length:
            raise BrokenFile("it became shorter while it was read")
        return data


def crc32(data: torch.Tensor) -> int:
    """Return the CRC-32 of a uint8 tensor's bytes."""
    return zlib.crc32(data.numpy().data)


def strided(stored: StoredTensor, data: torch.Tensor) -> torch.Tensor:
    """Return the tensor that `stored` describes, over the bytes `data` of its storage.

    It shares memory with `data`. BrokenFile is raised where sizes, strides and offset do not fit
    the storage.
    """
    dtype = USABLE_DTYPES[stored.dtype]
    available = data.numel() // dtype.itemsize - stored.storage.offset
    _check_layout(
        stored, min(available, stored.storage.numel if stored.storage.dtype else available)
    )
    whole = data[: data.numel() // dtype.itemsize * dtype.itemsize].view(dtype)
    start = stored.storage.offset + stored.offset
    try:
        return whole.as_strided(stored.size, stored.stride, start)
    except RuntimeError:
        raise BrokenFile("a tensor has a shape that torch does not accept") from None


def _check_layout(stored: StoredTensor, available: int) -> None:
    steps = zip(stored.size, stored.stride, strict=True)
    last = stored.offset + sum((size - 1) * stride for size, stride in steps)
    empty = 0 in stored.size
    if (stored.offset > available) if empty else (last >= available):
        raise BrokenFile("a tensor reaches beyond the end of its storage")
