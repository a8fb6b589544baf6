"""Write pickles by hand, opcode by opcode, as no pickler would, and the files around them."""

import io
import pickle
import struct
import zipfile
from pathlib import Path

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL = b"\x80\x02"
STOP = b"."


def value(plain: object) -> bytes:
    """The opcodes of plain data, without the protocol and the end."""
    return pickle.dumps(plain, 2)[2:-1]


def text(content: str) -> bytes:
    encoded = content.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def put(number: int) -> bytes:
    return b"r" + struct.pack("<I", number)


def get(number: int) -> bytes:
    return b"j" + struct.pack("<I", number)


def tuple_of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def list_of(*parts: bytes) -> bytes:
    return b"](" + b"".join(parts) + b"e"


def dict_of(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"}(" + b"".join(key + item for key, item in pairs) + b"u"


def entries(**items: bytes) -> bytes:
    return dict_of(*((text(key), item) for key, item in items.items()))


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_of(*arguments) + b"R"


def instance(cls: bytes, state: bytes) -> bytes:
    return cls + b")\x81" + state + b"b"


def module(cls: bytes, parameters: bytes = b"}", modules: bytes = b"}") -> bytes:
    """A torch.nn.Module that was pickled whole."""
    return instance(cls, entries(_parameters=parameters, _buffers=b"}", _modules=modules))


def doubled(times: int, kind: bytes = b"\x86", first: bytes = b"K\x01") -> bytes:
    """A value within two of itself, again and again: 2^times ways through a few bytes."""
    memo = 1 << 20
    step = {b"\x86": b"\x86", b"l": b"l", b"d": b"d"}[kind]
    out = first + put(memo)
    for _ in range(times):
        inside = get(memo) * 2
        if step == b"\x86":
            out += b"0" + inside + b"\x86"
        elif step == b"l":
            out += b"0(" + inside + b"l"
        else:
            out += b"0(" + text("a") + get(memo) + text("b") + get(memo) + b"d"
        out += put(memo)
    return out


def storage(key: bytes, numel: int, kind: str = "FloatStorage", view: bytes = b"") -> bytes:
    pid = (text("storage"), name("torch", kind), key, text("cpu"), value(numel), view)
    return tuple_of(*pid) + b"Q"


def tensor(size: bytes, stride: bytes, offset: bytes = b"K\x00", numel: int = 6) -> bytes:
    """A weight over the storage "0"."""
    return tensor_over(storage(text("0"), numel), size, stride, offset)


def tensor_over(storage: bytes, size: bytes, stride: bytes, offset: bytes = b"K\x00") -> bytes:
    return call(
        name("torch._utils", "_rebuild_tensor_v2"), storage, offset, size, stride, b"\x89", b"}"
    )


def array(shape: bytes, data: bytes, dtype: str = "f4") -> bytes:
    described = call(name("numpy", "dtype"), text(dtype), b"K\x00", b"K\x01")
    rebuilt = call(name("numpy.core.multiarray", "_reconstruct"), b"N", b"N", b"N")
    raw = b"B" + struct.pack("<I", len(data)) + data
    return rebuilt + tuple_of(b"K\x01", shape, described, b"\x89", raw) + b"b"


WEIGHT = tensor(value((2, 3)), value((3, 1)))


def zip_file(path: Path, root: bytes, **records: bytes) -> Path:
    """A file of torch.save around the opcodes of its root, with storage "0" of six numbers."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", PROTOCOL + root + STOP)
        archive.writestr("net/data/0", struct.pack("<6f", *range(6)))
        for record, data in records.items():
            archive.writestr(f"net/{record.replace('__', '/')}", data)
    return path


def legacy_file(path: Path, root: bytes, keys: bytes | None = None, rest: bytes = b"") -> Path:
    """A file of torch before 1.6: pickles in a row, then the storages."""
    head = (value(MAGIC_NUMBER), value(1001), value({"little_endian": True}))
    pickles = (*head, root, list_of(text("0")) if keys is None else keys)
    out = io.BytesIO()
    out.writelines(PROTOCOL + opcodes + STOP for opcodes in pickles)
    out.write(rest or struct.pack("<q6f", 6, *range(6)))
    path.write_bytes(out.getvalue())
    return path


LEGACY_WEIGHT = tensor_over(storage(text("0"), 6, view=b"N"), value((2, 3)), value((3, 1)))


def safetensors_file(path: Path, header: bytes, data: bytes = b"") -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)
    return path
