"""Find, check and read the records of a zip file as torch writes it."""

import io
import os
import re
import struct
import zipfile
import zlib

import numpy as np
import torch

from models.checkpoints.budget import BYTES
from models.checkpoints.containers.raw_file import RawFile, crc32
from models.checkpoints.pickles.records import BrokenFile
from models.common.text import shown

_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Signature, 22 bytes that are not read, length of the name, length of the extra field."""
_CONTENTS = (
    (r"(^|/)model\.json$", "it is a TorchScript archive of PyTorch before 1.4"),
    (r"exported_program|(^|/)archive_format$", "it is a torch.export program, not a checkpoint"),
    (r"\.mlpackage/", "it is a zipped Core ML package, not a checkpoint"),
    (r"\.npy$", "it is an archive of NumPy arrays"),
    (r"\.weights\.h5$", "it is a Keras model, not a PyTorch checkpoint"),
    (r"\.(pt|pth|ckpt|bin|safetensors)$", "it is a zip file around other files: unpack it first"),
)
_ENCRYPTED = 0x1
_DIRECTORY = 1 << 22
"""Bytes that the list of records may have, and a sixteenth of the file's: 50,000 records or so."""


class _ZipFile(io.FileIO):
    """Give `zipfile` what it asks for, unless that is a list of records out of proportion."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes; BrokenFile where they are more than any list of records has."""
        limit = _DIRECTORY + os.fstat(self.fileno()).st_size // 16
        if size is not None and size > limit:
            raise BrokenFile(f"its list of records has over {limit:,} bytes")
        return super().read(size) or b""


class ZipRecords:
    """Read named byte ranges of a zip file.

    torch stores records uncompressed; a file that went through a zip tool has compressed ones,
    which are expanded within the file's budget.
    """

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        with _ZipFile(raw.path) as stream, zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) != len(infos):
            raise BrokenFile("its zip directory lists the same name twice")
        starts = sorted({info.header_offset for info in infos})
        if len(starts) != len(infos):
            raise BrokenFile("two of its records lie on the same bytes")
        self._next = dict(zip(starts, [*starts[1:], raw.size], strict=True))

    def __contains__(self, name: object) -> bool:
        return name in self._infos

    @property
    def names(self) -> list[str]:
        """Return all record names, in the order of the directory."""
        return list(self._infos)

    def read(self, name: str) -> bytes:
        """Return a copy of a record's bytes."""
        return self.tensor(name).numpy().tobytes()

    def tensor(self, name: str) -> torch.Tensor:
        """Return a record as a uint8 tensor; KeyError if there is none of that name."""
        info = self._infos[name]
        start = self._data_offset(info)
        if info.flag_bits & _ENCRYPTED:
            raise BrokenFile(f"its record {shown(name)} is encrypted")
        if start + info.compress_size > self._next[info.header_offset]:
            raise BrokenFile(f"its record {shown(name)} overlaps another one")
        if info.compress_type == zipfile.ZIP_DEFLATED:
            return self._inflate(info, start)
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise BrokenFile(f"its record {shown(name)} is packed in a way torch does not use")
        data = self._raw.slice(start, info.file_size)
        # Where torch was told not to compute checksums, it wrote 0.
        if info.CRC and crc32(data) != info.CRC:
            raise BrokenFile(f"its record {shown(name)} does not match its checksum")
        return data

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        header = self._raw.slice(info.header_offset, _LOCAL_HEADER.size).numpy().tobytes()
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        if signature != b"PK\x03\x04":
            raise BrokenFile(f"its record {shown(info.filename)} is not where the directory says")
        return int(info.header_offset + _LOCAL_HEADER.size + name_length + extra_length)

    def _inflate(self, info: zipfile.ZipInfo, start: int) -> torch.Tensor:
        self._raw.budget.spend(BYTES, info.file_size)
        packed = self._raw.slice(start, info.compress_size).numpy().data
        try:
            data = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
        except zlib.error:
            raise BrokenFile(f"its record {shown(info.filename)} cannot be expanded") from None
        if len(data) != info.file_size or (info.CRC and zlib.crc32(data) != info.CRC):
            raise BrokenFile(f"its record {shown(info.filename)} does not match its checksum")
        expanded = torch.empty(len(data), dtype=torch.uint8)
        expanded.numpy()[:] = np.frombuffer(data, np.uint8)
        return expanded


def describe_zip(names: list[str]) -> str:
    """Describe a zip file that torch.save did not write, by the names in it."""
    for pattern, description in _CONTENTS:
        if any(re.search(pattern, name) for name in names):
            return description
    return "it is a zip file, but not one that torch.save wrote"


ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    struct.error,
    ValueError,
    LookupError,
    OverflowError,
    EOFError,
    RecursionError,
    MemoryError,
)
