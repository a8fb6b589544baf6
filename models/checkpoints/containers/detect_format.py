"""Detect what a file is from its first bytes: a checkpoint container, or a file to explain."""

import io

from models.checkpoints.budget import Budget
from models.checkpoints.containers.torch_files import MAGIC_NUMBER
from models.checkpoints.pickles.records import BrokenFile, RefusedGlobal
from models.checkpoints.pickles.unpickler import DECODING_ERRORS, Unpickler
from models.common.json_reader import parse_json
from models.common.paths import LFS_POINTER, POINTER

HEAD = 4096
"""Bytes that `identify` wants to see."""

_RETRY = "give the file that torch.save wrote"
_MAGIC = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and TensorFlow write them"),
    (b"GGUF", "a GGUF language model"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\0\0\0\x1cftyp", "a video"),
    (b"\0\0\0\x18ftyp", "a video or HEIC picture"),
    (b"\0\0\0\x20ftyp", "a video"),
)


def identify(head: bytes, size: int) -> str:
    """Return "zip", "legacy", "safetensors" or "tar", or a description of any other file.

    `head` is the first `HEAD` bytes. A description reads on after "breakage.pt is ".
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if _is_legacy(head):
        return "legacy"
    if _is_safetensors(head, size):
        return "safetensors"
    if head[257:262] == b"ustar" or head.startswith((b"sys_info\0", b"pickle\0", b"storages\0")):
        return "tar"
    return _describe(head, size)


def is_container(kind: str) -> bool:
    """Return whether `identify` named a format that can be read."""
    return kind in {"zip", "legacy", "safetensors"}


def _describe(head: bytes, size: int) -> str:
    if head.startswith(LFS_POINTER):
        return POINTER
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return f"a WebP picture, not a checkpoint: {_RETRY}"
    if head[4:8] == b"TFL3":
        return f"a TensorFlow Lite model, not a checkpoint: {_RETRY}"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return f"{name}, not a checkpoint: {_RETRY}"
    text = _text(head)
    if text is not None:
        return _describe_text(text)
    if not any(head):
        return "filled with zeros: a download or copy did not finish, get the file again"
    return _describe_binary(head, size)


def _describe_text(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<?xml")) or "<html" in start:
        return "a web page, so the download failed: get the file itself"
    if start.startswith(("{", "[")):
        return f"JSON text, not a checkpoint: {_RETRY}"
    return f"a text file, not a checkpoint: {_RETRY}"


def _describe_binary(head: bytes, size: int) -> str:
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return (
            "a Python pickle that torch.save did not write: load it where it was made and "
            "save model.state_dict() with torch.save"
        )
    if head[:1] == b"\x08" and any(word in head for word in (b"pytorch", b"onnx", b"ir_version")):
        return f"an ONNX model, not a checkpoint: {_RETRY}"
    if head[:1] == b"\x08" and head[2:3] == b"\x12":
        return f"a Core ML model, not a checkpoint: {_RETRY}"
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length > size - 8:
        return "a safetensors file that is cut off: copy or download it again"
    return f"in no format that holds PyTorch weights: {_RETRY}"


def _text(head: bytes) -> str | None:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < len(head) - 4:  # not a character cut in two at the end
            return None
        text = head[: error.start].decode("utf-8")
    return text if not any(ord(c) < 32 and c not in "\t\r\n\f" for c in text) else None


def _is_legacy(head: bytes) -> bool:
    def refuse(_: object) -> object:
        raise BrokenFile("a magic number refers to nothing")

    try:
        return Unpickler(refuse, Budget(HEAD)).load(io.BytesIO(head[:64])) == MAGIC_NUMBER
    except (*DECODING_ERRORS, BrokenFile, RefusedGlobal):
        return False


def _is_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 10 or head[8:9] != b"{":
        return False
    length = int.from_bytes(head[:8], "little")
    if length > size - 8:
        return False
    if length <= len(head) - 8:
        try:
            return isinstance(parse_json(head[8 : 8 + length]), dict)
        except ValueError:
            return True  # let the safetensors library say what is wrong with it
    return True
