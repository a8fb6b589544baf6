"""Small checkpoint files that would take minutes or gigabytes: each is refused at once."""

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz_checkpoints import read_case
from limited_reader import Reader
from pickle_text import (
    LEGACY_WEIGHT,
    WEIGHT,
    array,
    call,
    dict_of,
    doubled,
    entries,
    get,
    instance,
    legacy_file,
    list_of,
    module,
    name,
    put,
    safetensors_file,
    storage,
    tensor,
    tensor_over,
    text,
    tuple_of,
    value,
    zip_file,
)

SECONDS = 10.0  # of the processor; each takes one or two
MEMORY = 768 << 20
M61 = (1 << 61) - 1
PATH, DEVICE = name("pathlib", "PosixPath"), name("torch", "device")


@pytest.fixture(scope="module")
def reader() -> Reader:
    with Reader(read_case) as worker:
        yield worker


def memo(item: bytes, number: int = 7) -> bytes:
    """Remember an object, and leave nothing on the stack."""
    return item + put(number) + b"0"


def with_facts(**facts: bytes) -> bytes:
    return dict_of((text("conv.weight"), WEIGHT), *((text(k), v) for k, v in facts.items()))


def many(count: int, item: bytes, key: Callable[[int], bytes] = lambda n: text(f"k{n}")) -> bytes:
    return dict_of(*((key(number), item) for number in range(count)))


def chain(times: int, cls: bytes) -> bytes:
    """Modules each of which holds the one before twice."""
    out = memo(module(cls, dict_of((text("weight"), WEIGHT))))
    for _ in range(times):
        out += memo(module(cls, modules=dict_of((text("a"), get(7)), (text("b"), get(7)))))
    return out + get(7)


def scripts(times: int) -> bytes:
    cls = name("__torch__.net", "Net")
    out = memo(instance(cls, entries(weight=WEIGHT)))
    for _ in range(times):
        out += memo(instance(cls, entries(a=get(7), b=get(7))))
    return out + get(7)


PICKLES: dict[str, bytes] = {
    "a path of tuples": with_facts(place=call(PATH, doubled(60))),
    "a device of tuples": with_facts(place=call(DEVICE, doubled(60))),
    "a path of lists": with_facts(place=call(PATH, doubled(60, b"l"))),
    "facts of tuples": with_facts(hparams=doubled(60)),
    "facts of dicts": with_facts(hparams=doubled(60, b"d")),
    "a key of tuples": with_facts(hparams=dict_of((doubled(60), b"K\x01"))),
    "a deep key": with_facts(hparams=dict_of((b"K\x01" + b"\x85" * 200_000, b"K\x01"))),
    "a deep set": with_facts(hparams=b"\x8f(" + b"K\x01" + b"\x85" * 200_000 + b"\x90"),
    "a set of tuples": with_facts(hparams=b"\x8f(" + doubled(60) + b"\x90"),
    "a frozenset of tuples": with_facts(hparams=b"(" + doubled(60) + b"\x91"),
    "pairs of tuples": with_facts(
        hparams=call(name("collections", "OrderedDict"), list_of(list_of(doubled(60), b"K\x01")))
    ),
    "sizes of tuples": entries(a=entries(w=tensor(doubled(60), doubled(60)))),
    "two entries with equal sizes of tuples": entries(
        a=dict_of((text("w"), tensor(tuple_of(doubled(60)), tuple_of(doubled(60))))),
        b=dict_of((text("w"), tensor(tuple_of(doubled(60)), tuple_of(doubled(60))))),
    ),
    "storage keys of tuples": entries(
        w=tensor_over(storage(doubled(60), 6), value((2, 3)), value((3, 1)))
    ),
    "a NumPy shape of tuples": entries(w=array(tuple_of(doubled(60)), bytes(8))),
    "a NumPy type of tuples": entries(
        w=call(name("numpy.core.multiarray", "scalar"), doubled(60), doubled(60))
    ),
    "an enum of tuples": with_facts(kind=call(name("net", "Kind"), doubled(60))),
    "an attribute of an object of tuples": call(
        call(name("builtins", "getattr"), call(name("net", "Kind"), doubled(60)), text("run"))
    ),
    "modules that are shared": chain(50, name("net", "Block")),
    "layers that are shared": chain(50, name("torch.nn.modules.container", "Sequential")),
    "modules that are shared, in an entry": entries(model=chain(50, name("net", "Block"))),
    "scripted modules that are shared": entries(model=scripts(50)),
    "colliding integers": many(80_000, b"N", lambda n: value((n + 1) * M61)),
    "colliding integers in a set": b"\x8f("
    + b"".join(value((n + 1) * M61) for n in range(80_000)) + b"\x90",
    "colliding memo numbers": b"K\x01"
    + b"".join(b"p%d\n" % ((n + 1) * M61) for n in range(100_000)),
    "colliding numbers of pairs": call(
        name("collections", "OrderedDict"),
        list_of(*(list_of(value((n + 1) * M61), b"N") for n in range(100_000))),
    ),
    "colliding tuples": many(
        60_000, b"N", lambda n: tuple_of(value((n + 1) * M61), value((n + 1) * M61))
    ),
    "colliding floats": many(60_000, b"N", lambda n: value(float(n + 1) * 2.0**61)),
    "a NumPy shape of a million sides": entries(
        w=array(tuple_of(b"K\xff" * 1_000_000), bytes(1020))
    ),
    "a list that 30,000 keys share": memo(list_of(b"K\x01" * 190_000)) + many(30_000, get(7)),
    "a list of lists that 30,000 keys share": memo(list_of(b"]" * 190_000))
    + many(30_000, get(7)),
    "a dict that 30,000 keys share": memo(many(30_000, b"N")) + many(30_000, get(7)),
    "a state that 30,000 objects share": memo(many(30_000, b"N"))
    + many(30_000, instance(name("net", "Config"), get(7))),
    "a state that 30,000 modules share": memo(
        entries(_parameters=many(30_000, b"N"), _buffers=b"}", _modules=b"}")
    )
    + many(30_000, instance(name("net", "Block"), get(7))),
    "names of absent buffers that modules share": memo(list_of(text("x") * 30_000))
    + many(
        20_000,
        instance(
            name("net", "Block"),
            entries(_parameters=b"}", _modules=b"}", _non_persistent_buffers_set=get(7)),
        ),
    ),
    "a module that 30,000 keys share": memo(
        module(name("net", "Block"), many(2_000, WEIGHT))
    )
    + many(30_000, list_of(get(7))),
    "arguments that 300,000 calls share": memo(tuple_of(b"K\x01" * 100_000))
    + b"("
    + (name("torch._tensor", "_rebuild_from_type_v2") + put(8) + b"0")
    + (get(8) + get(7) + b"R0") * 300_000
    + b"l",
    "a dotted key of two megabytes": dict_of((text("a." * 1_000_000 + "weight"), WEIGHT)),
    "two dotted keys of two megabytes": dict_of(
        (text("a." * 1_000_000 + "weight"), WEIGHT), (text("a." * 1_000_000 + "bias"), WEIGHT)
    ),
    "a key of five megabytes": dict_of((text("a" * 5_000_000), WEIGHT)),
    "an entry of five megabytes": dict_of((text("a" * 5_000_000), entries(w=WEIGHT))),
    "a key of five megabytes in 30,000 entries": memo(text("a" * 5_000_000))
    + many(30_000, dict_of((get(7), list_of(WEIGHT)))),
    "module names of a megabyte": memo(text("a" * 1_000_000), 9)
    + memo(module(name("net", "Block"), dict_of((text("weight"), WEIGHT))))
    + b"".join(
        memo(module(name("net", "Block"), modules=dict_of((get(9), get(7))))) for _ in range(50)
    )
    + get(7),
    "a class of five megabytes": with_facts(kind=name("n" * 5_000_000, "Kind") + b")R"),
    "a class of five megabytes, called often": memo(text("n" * 5_000_000))
    + memo(text("Kind"), 8)
    + b"("
    + (get(7) + get(8) + b"\x93") * 100_000
    + b"l",
    "a wish of five megabytes": name("os", "s" * 5_000_000),
    "attributes of attributes": memo(text("a" * 1_000_000))
    + name("net", "Kind")
    + put(8)
    + b"0"
    + get(8)
    + put(9)
    + b"0"
    + (name("builtins", "getattr") + tuple_of(get(9), get(7)) + b"R" + put(9) + b"0") * 300
    + get(9)
    + b")R",
    "6,000 candidates": many(6_000, entries(a=WEIGHT, b=WEIGHT)),
    "6,000 candidates of their own": many(
        6_000, dict_of((text("a"), WEIGHT), (text("b"), WEIGHT), (text("c"), WEIGHT))
    ),
    "5,000 networks beside 10,000 shared tensors": memo(WEIGHT)
    + dict_of(
        *((text(f"n{n}.encoder.w"), get(7)) for n in range(5_000)),
        *((text(f"n{n}.decoder.w"), get(7)) for n in range(5_000)),
        *((text(f"s{n}.w"), get(7)) for n in range(10_000)),
    ),
    "4,000 groups of averaged weights": memo(WEIGHT)
    + dict_of(
        *((text(f"ema_{n}.{end}"), get(7)) for n in range(4_000) for end in ("a.w", "b.w"))
    ),
    "100,000 names of one tensor": memo(WEIGHT)
    + many(100_000, get(7), lambda n: text(f"l{n}.weight")),
    "100 views that repeat a number": many(
        100, tensor(value((1 << 20, 1)), value((0, 0))), lambda n: text(f"l{n}.weight")
    ),
    "a view of 2^80 numbers": entries(w=tensor(value((1 << 40, 1 << 40)), value((0, 0)))),
    "a view of no numbers and 2^61 rows": entries(w=tensor(value((1 << 61, 0)), value((0, 0)))),
    "an array under 3,000 names": memo(array(value((250_000,)), bytes(1_000_000)))
    + many(3_000, get(7), lambda n: text(f"l{n}.weight")),
    "a text that becomes numbers": memo(text("1" * 4_000_000))
    + memo(name("builtins", "float"), 8)
    + b"("
    + (get(8) + get(7) + b"\x85R0") * 50_000
    + b"l",
    "a number that becomes texts": memo(value(10**4200))
    + memo(name("builtins", "str"), 8)
    + b"("
    + (get(8) + get(7) + b"\x85R") * 100_000
    + b"l",
    "an integer of five megabytes": with_facts(
        steps=b"\x8b" + struct.pack("<I", 5_000_000) + b"\x7f" * 5_000_000
    ),
    "an integer of five megabytes as a key": with_facts(
        steps=dict_of((b"\x8b" + struct.pack("<I", 5_000_000) + b"\x7f" * 5_000_000, b"N"))
    ),
    "an integer of five megabytes as a size": entries(
        w=tensor(
            tuple_of(b"\x8b" + struct.pack("<I", 5_000_000) + b"\x7f" * 5_000_000), value((1,))
        )
    ),
    "an integer of five megabytes as a setting": instance(
        name("torch.nn.modules.conv", "Conv2d"),
        entries(
            _parameters=dict_of((text("weight"), WEIGHT)),
            _buffers=b"}",
            _modules=b"}",
            stride=b"\x8b" + struct.pack("<I", 5_000_000) + b"\x7f" * 5_000_000,
        ),
    ),
    "scalars of a long text": memo(text("a" * 4_000_000))
    + memo(name("numpy.core.multiarray", "scalar"), 8)
    + b"("
    + (get(8) + b"N" + get(7) + b"\x86R0") * 50_000
    + b"l",
    "five million objects": b"(" + b")" * 5_000_000 + b"l",
    "deep lists": b"]" * 200_000 + b"a" * 199_999,
    "deep states": (name("net", "Net") + put(7) + b"0") + (get(7) + b")\x81") * 100_000
    + b"b" * 99_999,
    "deep attributes": (name("builtins", "getattr") + put(7) + b"0")
    + get(7) * 60_000
    + name("net", "Kind")
    + (text("a") + b"\x86R") * 60_000
    + b")R",
    "deep modules": memo(module(name("net", "Block")))
    + b"".join(
        memo(module(name("net", "Block"), modules=dict_of((text("a"), get(7)))))
        for _ in range(20_000)
    )
    + get(7),
}  # fmt: skip


@pytest.mark.parametrize("attack", PICKLES)
def test_a_pickle_takes_neither_minutes_nor_gigabytes(
    tmp_path: Path, reader: Reader, attack: str
) -> None:
    refused(reader, zip_file(tmp_path / "net.pt", PICKLES[attack]))


@pytest.mark.parametrize("attack", ["a path of tuples", "a key of tuples", "colliding integers"])
def test_nor_does_a_legacy_file(tmp_path: Path, reader: Reader, attack: str) -> None:
    refused(reader, legacy_file(tmp_path / "net.pt", PICKLES[attack]))


def test_a_list_of_storages_may_hold_names_alone(tmp_path: Path, reader: Reader) -> None:
    root = dict_of((text("conv.weight"), LEGACY_WEIGHT))
    path = legacy_file(tmp_path / "net.pt", root, list_of(doubled(60)))
    assert "names a storage by something that is no text" in refused(reader, path)


def test_a_storage_is_listed_once(tmp_path: Path, reader: Reader) -> None:
    root = dict_of((text("conv.weight"), LEGACY_WEIGHT))
    path = legacy_file(tmp_path / "net.pt", root, list_of(*[text("0")] * 100_000))
    with path.open("ab") as file:
        file.truncate(30 << 20)
    refused(reader, path)


@pytest.mark.parametrize("numel", [5 << 30, 6])
def test_a_sparse_file_is_not_read(tmp_path: Path, reader: Reader, numel: int) -> None:
    """20 GB of zeros that take no room on the disk."""
    weight = tensor_over(storage(text("0"), numel, view=b"N"), value((numel, 1)), value((1, 1)))
    path = legacy_file(tmp_path / "net.pt", dict_of((text("conv.weight"), weight)))
    with path.open("r+b") as file:
        file.seek(-32, os.SEEK_END)
        file.write(struct.pack("<q", numel))
        file.truncate(20 << 30)
    if path.stat().st_blocks > 1 << 20:
        pytest.skip("this file system stores holes")
    assert "are holes" in refused(reader, path)


def test_records_on_the_same_bytes_are_refused(tmp_path: Path, reader: Reader) -> None:
    """400 names on a record of two megabytes."""
    weights = {
        f"l{n}.weight": tensor_over(storage(text(str(n)), 1 << 19), value((2, 2)), value((2, 1)))
        for n in range(400)
    }
    path = zip_file(tmp_path / "net.pt", entries(**weights))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("net/data/1", bytes(1 << 21))
        infos = {info.filename: info for info in archive.infolist()}
        for n in range(400):
            clone = zipfile.ZipInfo(f"net/data/{n}")
            for field in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(clone, field, getattr(infos["net/data/1"], field))
            archive.filelist = [i for i in archive.filelist if i.filename != clone.filename]
            archive.filelist.append(clone)
        archive._didModify = True
    assert "two of its records lie on the same bytes" in refused(reader, path)


def test_records_within_each_other_are_refused(tmp_path: Path, reader: Reader) -> None:
    path = zip_file(tmp_path / "net.pt", entries(w=WEIGHT))
    with zipfile.ZipFile(path) as archive:
        inner = archive.getinfo("net/data/0")
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")  # of net/data.pkl, which now reaches into net/data/0
    for field in (20, 24):
        struct.pack_into("<I", content, entry + field, inner.header_offset)
    path.write_bytes(content)
    assert "overlaps another one" in refused(reader, path)


def test_a_long_list_of_records_is_refused(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"net/data/{number}", b"")
    assert "list of records has over" in refused(reader, path)


@pytest.mark.parametrize("record", ["net/data.pkl", "net/data/0"])
def test_records_expand_in_proportion(tmp_path: Path, reader: Reader, record: str) -> None:
    size = 500 << 20
    weight = tensor_over(storage(text("0"), size // 4), value((2, 2)), value((2, 1)))
    path = zip_file(tmp_path / "whole.pt", dict_of((text("conv.weight"), weight)))
    with (
        zipfile.ZipFile(path) as whole,
        zipfile.ZipFile(tmp_path / "net.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in whole.namelist():
            content = bytes(size) if name == record else whole.read(name)
            archive.writestr(name, content)
    assert "bytes of records" in refused(reader, tmp_path / "net.pt")


@pytest.mark.parametrize(
    "header",
    [
        {"a" * 5_000_000: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"a." * 1_000_000: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {
            f"l{n}.weight": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
            for n in range(100_000)
        },
        {f"l{n}": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in range(30_000)},
        {"w": {"dtype": "F32", "shape": [1 << 31, 1 << 31, 0], "data_offsets": [0, 0]}},
        {"__metadata__": {"classes": "[" * 1_000_000}},
        {"__metadata__": {"classes": "[" * 50 + "]" * 50}},
        {"__metadata__": {"classes": "[" + "[]," * 2_000_000 + "[]]"}},
        {"__metadata__": {"classes": "[" + "9" * 5_000_000 + "]"}},
    ],
    ids=range(9),
)
def test_a_safetensors_header_is_held_to_the_same(
    tmp_path: Path, reader: Reader, header: dict[str, object]
) -> None:
    refused(reader, safetensors_file(tmp_path / "net.pt", json.dumps(header).encode(), bytes(4)))


def refused(reader: Reader, path: Path) -> str:
    """Return the sentence by which a file is refused, or "" where it has no network in it."""
    found = reader.read(path)
    assert found.seconds < SECONDS, found
    assert found.memory < MEMORY, found
    assert len(found.sentence) < 1500
    assert found.sentence.isprintable()
    assert path.name in found.sentence
    return found.sentence
