"""Files that try to run something: each is refused by name, and nothing it asked for happened."""

import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.checkpoints import read_checkpoint
from models.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C


def torch_zip(data_pkl: bytes, **records: bytes) -> bytes:
    """A torch zip file around a pickle of our making."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", data_pkl)
        archive.writestr("net/byteorder", b"little")
        archive.writestr("net/version", b"3\n")
        for name, data in records.items():
            archive.writestr(f"net/data/{name}", data)
    return buffer.getvalue()


def torch_legacy(data_pkl: bytes) -> bytes:
    header = [MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}]
    return b"".join(pickle.dumps(part, 2) for part in header) + data_pkl + pickle.dumps([], 2)


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def command(canary: Path) -> str:
    return f"touch {canary}"


class Reduce:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def by_reduce(canary: Path) -> bytes:
    import os

    return pickle.dumps({"state_dict": Reduce(os.system, command(canary))}, 2)


def by_stack_global(canary: Path) -> bytes:
    import os

    return pickle.dumps({"state_dict": Reduce(os.system, command(canary))}, 4)


def by_text_protocol(canary: Path) -> bytes:
    return b"cos\nsystem\n(S'" + command(canary).encode() + b"'\ntR."


def by_inst(canary: Path) -> bytes:
    return b"(S'" + command(canary).encode() + b"'\nios\nsystem\n."


def by_obj(canary: Path) -> bytes:
    return b"(cos\nsystem\nS'" + command(canary).encode() + b"'\no."


def by_eval(canary: Path) -> bytes:
    return pickle.dumps(Reduce(eval, f"open({str(canary)!r}, 'w').close()"), 2)


def by_python2_name(canary: Path) -> bytes:
    return b"c__builtin__\neval\n(S'open(\"" + str(canary).encode() + b'", "w")\'\ntR.'


def by_getattr_chain(canary: Path) -> bytes:
    """getattr(getattr(int, "__class__"), "__subclasses__")()."""
    first = b"cbuiltins\ngetattr\n(cbuiltins\nint\n" + text("__class__") + b"tR"
    return b"cbuiltins\ngetattr\n(" + first + text("__subclasses__") + b"tR)R."


def by_calling_an_attribute(canary: Path) -> bytes:
    """getattr(torch.hub, "load")(…), the owner being an innocent placeholder."""
    owner = b"cbuiltins\ngetattr\n(ctorch.hub\nLoader\n" + text("load") + b"tR"
    return owner + b"(" + text(str(canary)) + b"tR."


def by_attribute_of_a_path(canary: Path) -> bytes:
    path = b"cpathlib\nPosixPath\n(" + text(str(canary)) + b"tR"
    return b"cbuiltins\ngetattr\n(" + path + text("touch") + b"tR)R."


def by_popen_object(canary: Path) -> bytes:
    return b"\x80\x02csubprocess\nPopen\n(" + text(command(canary)) + b"t\x81."


def by_popen_with_keywords(canary: Path) -> bytes:
    args = b"(" + text(command(canary)) + b"t}" + text("shell") + b"\x88s"
    return b"\x80\x04csubprocess\nPopen\n" + args + b"\x92."


def by_torch_load(canary: Path) -> bytes:
    return b"\x80\x02ctorch.serialization\nload\n(" + text(str(canary)) + b"tR."


def by_torch_hub(canary: Path) -> bytes:
    return b"\x80\x02ctorch.hub\nload\n(" + text("evil/repo") + text("net") + b"tR."


def by_storage_bytes(canary: Path) -> bytes:
    inner = by_reduce(canary)
    data = b"B" + struct.pack("<I", len(inner)) + inner
    return b"\x80\x03ctorch.storage\n_load_from_bytes\n(" + data + b"tR."


def by_setstate(canary: Path) -> bytes:
    """BUILD with os.system as the `__setstate__` of an innocent object."""
    state = b"}" + text("__setstate__") + b"cos\nsystem\ns"
    run = b"(" + text(command(canary)) + b"tb"
    return b"\x80\x02cnet\nUnet\n)\x81" + state + b"b" + run + b"."


def by_rebuilding_a_type(canary: Path) -> bytes:
    """torch._tensor._rebuild_from_type_v2(os.system, …) calls its first argument."""
    args = b"(cos\nsystem\ncnet\nT\n(" + text(command(canary)) + b"tNt"
    return b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n" + args + b"R."


def by_reconstructor(canary: Path) -> bytes:
    args = b"(csubprocess\nPopen\ncbuiltins\nobject\nNtR"
    return b"ccopy_reg\n_reconstructor\n" + args + b"."


def by_partial(canary: Path) -> bytes:
    inner = b"cfunctools\npartial\n(cos\nsystem\n" + text(command(canary)) + b"tR"
    return b"\x80\x02" + inner + b")R."


def by_calling_a_partial(canary: Path) -> bytes:
    inner = b"cfunctools\npartial\n(cnet\nrun\n" + text(command(canary)) + b"tR"
    return b"\x80\x02" + inner + b")R."


def by_dotted_name(canary: Path) -> bytes:
    """torch.serialization has `os` as an attribute: a dotted name reaches through it."""
    name = text("torch.serialization") + text("os.system") + b"\x93"
    return b"\x80\x04" + name + b"(" + text(command(canary)) + b"tR."


def by_runpy(canary: Path) -> bytes:
    return b"crunpy\n_run_code\n(" + text(command(canary)) + b"tR."


def by_lambda_code(canary: Path) -> bytes:
    return b"ctypes\nFunctionType\n(NtR."


ATTACKS = {
    by_reduce: "posix.system",
    by_stack_global: "posix.system",
    by_text_protocol: "os.system",
    by_inst: "os.system",
    by_obj: "os.system",
    by_eval: "builtins.eval",
    by_python2_name: "builtins.eval",
    by_getattr_chain: "builtins.getattr",
    by_calling_an_attribute: "torch.hub.Loader.load",
    by_attribute_of_a_path: "touch",
    by_popen_object: "subprocess.Popen",
    by_popen_with_keywords: "subprocess.Popen",
    by_torch_load: "torch.serialization.load",
    by_torch_hub: "torch.hub.load",
    by_storage_bytes: "torch.storage._load_from_bytes",
    by_setstate: "os.system",
    by_rebuilding_a_type: "os.system",
    by_reconstructor: "subprocess.Popen",
    by_partial: "os.system",
    by_calling_a_partial: "functools.partial",
    by_dotted_name: "torch.serialization.os.system",
    by_runpy: "runpy._run_code",
    by_lambda_code: "types.FunctionType",
}


@pytest.mark.parametrize("container", [torch_zip, torch_legacy])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_nothing_runs_and_the_wish_is_named(
    tmp_path: Path, attack: Callable[[Path], bytes], container: Callable[[bytes], bytes]
) -> None:
    canary = tmp_path / "canary"
    path = tmp_path / "breakage.pt"
    path.write_bytes(container(attack(canary)))
    with pytest.raises(InputError) as refusal:
        read_checkpoint(path)
    message = str(refusal.value)
    assert message.startswith("breakage.pt wants to ")
    assert ATTACKS[attack] in message
    assert message.endswith("which no checkpoint needs; it was not run. Do not trust this file.")
    assert not canary.exists()


@pytest.mark.parametrize(
    "attack", [by_reduce, by_inst, by_obj, by_eval], ids=lambda attack: attack.__name__
)
def test_the_attacks_are_real(tmp_path: Path, attack: Callable[[Path], bytes]) -> None:
    canary = tmp_path / "canary"
    pickle.loads(attack(canary))  # what any loader without the rule does
    assert canary.exists()


def test_a_class_is_only_ever_a_placeholder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "importable.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'canary')!r}).touch()\nclass Net: pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    pickled = b"\x80\x02}" + text("config") + b"cimportable\nNet\n)\x81s."
    (tmp_path / "net.pt").write_bytes(torch_zip(pickled))
    with pytest.raises(InputError, match="holds no network weights"):
        read_checkpoint(tmp_path / "net.pt")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("pid", "message"),
    [
        (text("os.system"), "refers to something outside"),
        (b"(" + text("module") + b"cnet\nUnet\n" + text("a.py") + text("code") + b"t", "outside"),
        (b"(" + text("storage") + b"cnet\nEvil\n" + text("0") + text("cpu") + b"K\x01t", "type"),
        (
            b"("
            + text("storage")
            + b"ctorch\nFloatStorage\n"
            + text("../../x")
            + text("cpu")
            + b"K\x01t",
            "storage ../../x are missing",
        ),
    ],
)
def test_persistent_ids_reach_storages_only(tmp_path: Path, pid: bytes, message: str) -> None:
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + b"QK\x00(K\x01K\x01t(K\x01K\x01t\x89}tR"
    )
    (tmp_path / "net.pt").write_bytes(torch_zip(b"\x80\x02}" + text("weight") + tensor + b"s."))
    with pytest.raises(InputError, match=message):
        read_checkpoint(tmp_path / "net.pt")


@pytest.mark.parametrize("opcode", [b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00"])
def test_the_extension_registry_is_out_of_reach(tmp_path: Path, opcode: bytes) -> None:
    (tmp_path / "net.pt").write_bytes(torch_zip(b"\x80\x02" + opcode + b")R."))
    with pytest.raises(InputError, match="uses EXT"):
        read_checkpoint(tmp_path / "net.pt")


def test_the_same_pickle_without_a_wish_is_read(tmp_path: Path) -> None:
    """The hand-made container is sound: the refusals above are not about its form."""
    buffer = io.BytesIO()
    torch.save({"conv.weight": torch.ones(2, 3)}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        pickled = archive.read("archive/data.pkl")
        numbers = archive.read("archive/data/0")
    assert pickletools.dis(pickled, io.StringIO()) is None
    (tmp_path / "net.pt").write_bytes(torch_zip(pickled, **{"0": numbers}))
    assert torch.equal(
        read_checkpoint(tmp_path / "net.pt").tensors["conv.weight"], torch.ones(2, 3)
    )
