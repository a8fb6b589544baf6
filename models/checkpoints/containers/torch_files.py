"""Read the two containers of `torch.save`: a zip file (since torch 1.6), and pickles in a row."""

import io
from collections.abc import Callable

import torch

from models.checkpoints.budget import Budget
from models.checkpoints.containers.container import OpenedFile
from models.checkpoints.containers.raw_file import USABLE_DTYPES, RawFile
from models.checkpoints.containers.zip_records import ZipRecords, describe_zip
from models.checkpoints.pickles.allowed_names import STORAGE_DTYPES, TORCH_REFERENCES
from models.checkpoints.pickles.records import BrokenFile, Global, StorageRef
from models.checkpoints.pickles.unpickler import DECODING_ERRORS, Unpickler
from models.common.text import shown

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PICKLES = 1 << 24
"""Bytes that the pickles in front of a legacy file's numbers may have, and a sixteenth of it."""
_RESAVE = "Load it there and save it again as safetensors."
_QUANTIZED_SIZES = {"qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1}
_OTHER_SIZES = {"": 1, "complex64": 8, "complex128": 16, **_QUANTIZED_SIZES}


def read_zip(raw: RawFile) -> OpenedFile:
    """Read a zip file of torch.save, or of torch.jit.save: the attributes of its module."""
    records = ZipRecords(raw)
    top = _top_folder(records)
    check_byte_order(records, top)
    root = unpickle(records.read(f"{top}data.pkl"), raw.budget)
    is_script = f"{top}constants.pkl" in records
    container = "TorchScript archive" if is_script else "torch zip"
    return OpenedFile(container, raw.budget, root, zip_storage(records, f"{top}data/"))


def _top_folder(records: ZipRecords) -> str:
    found = [name for name in records.names if name.rpartition("/")[2] == "data.pkl"]
    tops = [name.removesuffix("data.pkl") for name in found if name.count("/") <= 1]
    if len(tops) != 1:
        raise BrokenFile(describe_zip(records.names), "Give the file that torch.save wrote.")
    return tops[0]


def check_byte_order(records: ZipRecords, top: str) -> None:
    """Raise BrokenFile for a file that a big-endian machine wrote."""
    name = f"{top}byteorder"
    if name in records and records.read(name).strip() != b"little":
        raise BrokenFile("it was saved on a big-endian machine", _RESAVE)


def unpickle(data: bytes, budget: Budget) -> object:
    """Read one pickle whose persistent ids name the storages of a zip file."""
    return Unpickler(_zip_storage_ref, budget).load(io.BytesIO(data))


def zip_storage(records: ZipRecords, folder: str) -> Callable[[StorageRef], torch.Tensor]:
    """Return the function that finds the bytes of a storage in the records of `folder`."""
    cache: dict[str, torch.Tensor] = {}

    def storage(ref: StorageRef) -> torch.Tensor:
        if ref.key not in cache:
            if f"{folder}{ref.key}" not in records:
                raise BrokenFile(f"the numbers of storage {shown(ref.key)} are missing")
            cache[ref.key] = records.tensor(f"{folder}{ref.key}")
        expected, actual = ref.numel * element_size(ref.dtype), cache[ref.key].numel()
        if actual != expected:
            name = shown(ref.key)
            raise BrokenFile(f"storage {name} should have {expected} bytes and has {actual}")
        return cache[ref.key]

    return storage


def element_size(dtype: str) -> int:
    """Return the bytes of one element in a storage of `dtype`."""
    return _OTHER_SIZES[dtype] if dtype in _OTHER_SIZES else USABLE_DTYPES[dtype].itemsize


def storage_ref(kind: object, key: object, numel: object) -> StorageRef:
    """Return the record for ("storage", kind, key, location, numel) in a pickle."""
    if not isinstance(kind, Global) or kind not in TORCH_REFERENCES:
        raise BrokenFile("its pickle names a storage type that torch does not have")
    return StorageRef(storage_key(key), STORAGE_DTYPES[kind.name], _length(numel))


def storage_key(key: object) -> str:
    """Return the name of a storage as text; BrokenFile for what is none."""
    if isinstance(key, int) and key.bit_length() <= 64:
        return str(key)
    if not isinstance(key, str):
        raise BrokenFile("its pickle names a storage by something that is no text")
    return key


def _length(numel: object) -> int:
    if type(numel) is not int or not 0 <= numel < 1 << 48:
        raise BrokenFile("its pickle describes a storage of an impossible size")
    return numel


def _zip_storage_ref(pid: object) -> StorageRef:
    if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
        raise BrokenFile("its pickle refers to something outside of it that is no storage")
    _, kind, key, _location, numel = pid
    return storage_ref(kind, key, numel)


class _LegacyReader:
    """Read pickles in a row: magic number, version, system, the object, keys; raw storages."""

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        self._roots: dict[str, StorageRef] = {}
        self._starts: dict[str, int] = {}
        self._read: dict[str, torch.Tensor] = {}

    def read(self) -> OpenedFile:
        length = min(self._raw.size, _PICKLES + self._raw.size // 16)
        source = io.BytesIO(self._raw.slice(0, length).numpy().tobytes())
        try:
            return self._interpret(source)
        except DECODING_ERRORS:
            if source.tell() < length or length == self._raw.size:
                raise
            raise BrokenFile(f"its pickles have over {length:,} bytes") from None

    def _interpret(self, source: io.BytesIO) -> OpenedFile:
        magic, version, system = (self._load(source) for _ in range(3))
        if magic != MAGIC_NUMBER or version != 1001 or not isinstance(system, dict):
            raise BrokenFile("its header is not that of a torch file")
        if system.get("little_endian") is False:
            raise BrokenFile("it was saved on a big-endian machine", _RESAVE)
        root, keys = (self._load(source) for _ in range(2))
        self._find_storages(keys, source.tell())
        return OpenedFile("torch legacy", self._raw.budget, root, self._storage)

    def _load(self, source: io.BytesIO) -> object:
        return Unpickler(self._storage_ref, self._raw.budget).load(source)

    def _storage_ref(self, pid: object) -> object:
        if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
            return pid[1]  # ("module", class, source file, its text): the text stays unread
        if not isinstance(pid, tuple) or len(pid) != 6 or pid[0] != "storage":
            raise BrokenFile("its pickle refers to something outside of it that is no storage")
        _, kind, key, _location, numel, view = pid
        root = storage_ref(kind, key, numel)
        if self._roots.setdefault(root.key, root) != root:
            raise BrokenFile(f"it describes storage {shown(root.key)} in two ways")
        if view is None:
            return root
        _key, offset, length = view
        return StorageRef(root.key, root.dtype, _length(length), _length(offset))

    def _find_storages(self, keys: object, position: int) -> None:
        if not isinstance(keys, list):
            raise BrokenFile("its list of storages is no list")
        for key in map(storage_key, keys):
            root = self._roots.get(key)
            if root is None or key in self._starts:
                raise BrokenFile(f"it stores numbers that nothing refers to (storage {shown(key)})")
            header = self._raw.slice(position, 8).numpy().tobytes()
            numel, name = int.from_bytes(header, "little", signed=True), shown(key)
            if numel != root.numel:
                raise BrokenFile(f"storage {name} should have {root.numel} numbers and has {numel}")
            self._starts[key] = position + 8
            position += 8 + numel * element_size(root.dtype)
        if position > self._raw.size:
            raise BrokenFile("it ends before its last weights")

    def _storage(self, ref: StorageRef) -> torch.Tensor:
        if ref.key not in self._starts:
            raise BrokenFile(f"the numbers of storage {shown(ref.key)} are missing")
        if ref.key not in self._read:
            numel, size = self._roots[ref.key].numel, element_size(ref.dtype)
            self._read[ref.key] = self._raw.slice(self._starts[ref.key], numel * size)
        return self._read[ref.key]


def read_legacy(raw: RawFile) -> OpenedFile:
    """Read a file of torch before 1.6, or saved with `_use_new_zipfile_serialization=False`."""
    return _LegacyReader(raw).read()
