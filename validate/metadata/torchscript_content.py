"""The statements and the weights of a TorchScript archive, whose code is not run.

NAME/extra/segport.json    the metadata
NAME/constants.pkl         the types of the constants
NAME/constants/0, 1, …     the values of a frozen module's constants, uncompressed
"""

import pickletools
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.metadata import PREFIX
from export.to_torchscript import EXTRA_FILE
from models.common.json_reader import parse_json
from models.common.zip_entry import ZIP_DAMAGE, read_entry
from models.errors import InputError
from validate.metadata.content import LONGEST_TEXT, FileContent, own_entries

LARGEST_PICKLE = 1 << 24
HEADER = struct.Struct("<26xHH")
"""A record's local header: the lengths of its name and of its extra field."""


def read_torchscript(path: Path) -> FileContent:
    """Read a frozen TorchScript archive. Raises InputError when it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            records = {each.filename.partition("/")[2]: each for each in archive.infolist()}
            metadata = _metadata(archive, records)
            storages = _storages(archive, records)
        half = storages & {"HalfStorage", "BFloat16Storage"}
        weights = {} if half else _constants(path, records)
    except ZIP_DAMAGE as error:
        raise InputError(f"It is no TorchScript archive, or it is damaged: {error}.") from None
    statements = {**own_entries(metadata), **_target(metadata)}
    return FileContent({**statements, "precision": "float16" if half else "float32"}, weights)


Records = dict[str, zipfile.ZipInfo]


def _record(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None, limit: int) -> bytes:
    return b"" if info is None or info.file_size > limit else read_entry(archive, info, limit)


def _metadata(archive: zipfile.ZipFile, records: Records) -> dict[str, str]:
    content = _record(archive, records.get(f"extra/{EXTRA_FILE}"), LONGEST_TEXT)
    try:
        entries = parse_json(content) if content else {}
    except ValueError:
        raise ValueError(f"its {EXTRA_FILE} is no JSON") from None
    if not isinstance(entries, dict):
        raise ValueError(f"its {EXTRA_FILE} is no JSON object")
    return {str(key): str(value) for key, value in entries.items()}


def _target(metadata: dict[str, str]) -> dict[str, str]:
    """Return the version of torch that wrote the archive, which runs in it and in later ones."""
    try:
        versions = parse_json(metadata.get(f"{PREFIX}versions", "{}"))
    except ValueError:
        return {}
    version = versions.get("torch") if isinstance(versions, dict) else None
    return {"target": f"torch {str(version).partition('+')[0]}"} if version else {}


def _storages(archive: zipfile.ZipFile, records: Records) -> set[str]:
    """Return the kinds of storage that constants.pkl names, as FloatStorage.

    The pickle is taken apart, and not executed.
    """
    content = _record(archive, records.get("constants.pkl"), LARGEST_PICKLE)
    return {
        str(argument).rpartition(" ")[2]
        for opcode, argument, _ in pickletools.genops(content or b".")
        if opcode.name == "GLOBAL"
    }


def _constants(path: Path, records: Records) -> dict[str, NDArray[Any]]:
    """Map the constants as float32; one that is of another type fits no weight of the network."""
    weights: dict[str, NDArray[Any]] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        for name, info in records.items():
            stored = info.compress_type == zipfile.ZIP_STORED and info.file_size % 4 == 0
            if not name.startswith("constants/") or not stored or not info.file_size:
                continue
            file.seek(info.header_offset)
            header = file.read(HEADER.size)
            start = info.header_offset + HEADER.size + sum(HEADER.unpack(header))
            if start + info.file_size > size:
                raise ValueError("a record reaches beyond the end of the file")
            count = info.file_size // 4
            weights[f"constant {name.rpartition('/')[2]}"] = np.memmap(
                path, np.dtype("<f4"), "r", start, (count,)
            )
    return weights
