"""Hold the records of a TorchScript archive to plain values, before torch loads any of them."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from models.checkpoints.budget import Budget
from models.checkpoints.containers.torch_files import element_size, unpickle
from models.checkpoints.pickles.records import Inert, RefusedGlobal, StoredTensor, UnusableTensor
from validate.runtimes.interface import RefusedFile

MAX_EXPANDED = 2**26
"""Most bytes that the compressed records of an archive may expand to: code, and no weights."""


class RefusedCode(RefusedFile):
    """Refuse a TorchScript archive for what its code asks for."""

    def __init__(self, path: Path, what: str):
        super().__init__(
            f"{path.name} is not run: {what}, which tracing does not write. Export the bundle "
            "again from its checkpoint; where scripted code of the network is to blame, leave "
            "torchscript out of FORMATS=."
        )


def record_sizes(path: Path) -> dict[str, int]:
    """Return the size of each record, by its name below the archive's folder."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":  # torch would read it in another format
            raise zipfile.BadZipFile("it is no zip file")
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    packed = sum(each.file_size for each in infos if each.compress_type != zipfile.ZIP_STORED)
    if packed > MAX_EXPANDED:
        raise RefusedCode(path, f"its compressed records expand to {packed:,} bytes")
    return {each.filename.partition("/")[2]: each.file_size for each in infos}


def require_plain_values(path: Path, pickle: bytes, sizes: dict[str, int], folder: str) -> None:
    """Refuse tensors that reach beyond their records: torch does not look before it reads them."""
    try:
        values = list(_values(unpickle(pickle, Budget(path.stat().st_size))))
    except RefusedGlobal as error:
        raise RefusedCode(path, f"it wants to {error} while it is loaded") from None
    for value in values:
        if isinstance(value, UnusableTensor):
            raise RefusedCode(path, f"a tensor of it is no plain array ({value.reason})")
        if isinstance(value, Inert) and value.cls.module.startswith("__torch__.torch.classes"):
            raise RefusedCode(path, f"it has an object of {value.cls}")
        if isinstance(value, StoredTensor):
            storage = value.storage
            last = sum((n - 1) * step for n, step in zip(value.size, value.stride, strict=True))
            numbers = 0 if 0 in value.size else storage.offset + value.offset + last + 1
            stored = sizes.get(f"{folder}{storage.key}", 0)
            if max(numbers, storage.numel) * element_size(storage.dtype) > stored:
                raise RefusedCode(path, "a tensor of it reaches beyond its record")


def _values(root: object) -> Iterator[object]:
    """Yield all that a pickle holds, each object once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
        elif isinstance(value, Inert):
            waiting += [value.args, value.state, value.items, value.mapping]
