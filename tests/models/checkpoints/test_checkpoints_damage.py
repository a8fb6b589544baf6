"""Files that are damaged, hostile in structure, or something else: one sentence, no traceback."""

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from models.checkpoints import normalise, read_checkpoint
from models.errors import InputError

STATE = {"conv.weight": torch.arange(18.0).reshape(2, 1, 3, 3), "conv.bias": torch.ones(2)}


def saved(modern: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save({"model": STATE, "epoch": 3}, buffer, _use_new_zipfile_serialization=modern)
    return buffer.getvalue()


def scripted() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Conv2d(1, 2, 3), torch.rand(1, 1, 4, 4)), buffer)
    return buffer.getvalue()


FILES = {
    "zip": saved(True),
    "legacy": saved(False),
    "safetensors": save(STATE),
    "script": scripted(),
}


def image(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, kind)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refusal(folder: Path, data: bytes, name: str = "breakage.pt") -> str:
    path = folder / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        normalise(read_checkpoint(path))
    message = str(caught.value)
    assert name in message
    assert message.isprintable()
    return message


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 97912345\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\x80", "in no format"),
        (b"PKW price list\n", "is a text file"),
        (b"epoch 1 loss 0.3\n", "is a text file, not a checkpoint"),
        ("균열 검출 모델\n".encode() * 400, "is a text file"),
        (image("JPEG"), "is a JPEG picture, not a checkpoint"),
        (image("PNG"), "is a PNG picture"),
        (image("GIF"), "is a GIF picture"),
        (image("WEBP"), "is a WebP picture"),
        (image("BMP"), "is a BMP picture"),
        (image("TIFF"), "is a TIFF picture"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page"),
        (LFS, "is a Git LFS pointer, not the file itself: run `git lfs pull`"),
        (b'{"state_dict": {}}', "is JSON text"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "is an HDF5 file, as Keras"),
        (b"GGUF\x03\0\0\0" + bytes(600), "is a GGUF language model"),
        (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:" + bytes(90), "is an ONNX model"),
        (b"\x1f\x8b\x08" + bytes(90), "is a gzip archive"),
        (tar(), "is a tar file, as PyTorch before"),
        (bytes(5000), "is filled with zeros"),
        (bytes(range(128, 256)) * 9, "is in no format that holds PyTorch weights"),
        (pickle.dumps({"a": 1}, 4), "is a Python pickle that torch.save did not write"),
        (zipped(**{"word/document.xml": b"<a/>"}), "not one that torch.save wrote"),
        (zipped(**{"arr_0.npy": b""}), "it is an archive of NumPy arrays"),
        (zipped(**{"run/best.pt": b""}), "around other files: unpack it first"),
        (zipped(**{"m/archive_format": b"pt2"}), "it is a torch.export program"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, data: bytes, message: str) -> None:
    assert message in refusal(tmp_path, data)


@pytest.mark.parametrize("kind", FILES)
def test_no_truncation_passes_or_crashes(tmp_path: Path, kind: str) -> None:
    data = FILES[kind]
    for length in {*range(0, len(data), max(1, len(data) // 60)), len(data) - 1, 1, 2, 9}:
        refusal(tmp_path, data[:length])


@pytest.mark.parametrize("kind", FILES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutations_give_a_sentence_or_a_result(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["set", "delete", "insert", "repeat"]))
        if change == "set":
            content[at] = data.draw(st.integers(0, 255))
        elif change == "delete":
            del content[at : at + data.draw(st.integers(1, 8))]
        elif change == "insert":
            content[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        else:
            content[at:at] = content[at : at + 32]
        content = content or bytearray(b"x")
    (tmp_path / "net.pt").write_bytes(content)
    try:
        normalise(read_checkpoint(tmp_path / "net.pt"))
    except InputError as error:
        assert "net.pt" in str(error)


OPCODES = [bytes([code]) for code in range(256)]


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.lists(st.sampled_from(OPCODES) | st.binary(max_size=6), max_size=40))
def test_random_pickles_give_a_sentence_or_a_result(tmp_path: Path, body: list[bytes]) -> None:
    pickled = b"\x80\x04" + b"".join(body) + b"."
    (tmp_path / "net.pt").write_bytes(zipped(**{"net/data.pkl": pickled}))
    with pytest.raises(InputError, match=r"net\.pt"):
        read_checkpoint(tmp_path / "net.pt")


def test_a_flipped_weight_byte_is_found_by_the_checksum(tmp_path: Path) -> None:
    data = bytearray(FILES["zip"])
    at = data.find(struct.pack("<3f", 0, 1, 2))
    data[at + 6] ^= 1
    assert "does not match its checksum" in refusal(tmp_path, bytes(data))


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def tuple_of(*values: int) -> bytes:
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def with_tensor(
    offset: int, size: bytes, stride: bytes, numel: int = 6, kind: str = "FloatStorage"
) -> bytes:
    """A file of one weight over a storage of six float32 numbers."""
    pid = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text("0") + text("cpu")
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + pid + integer(numel) + b"tQ" + integer(offset) + size + stride + b"\x89}tR"
    )  # fmt: skip
    pickled = b"\x80\x02}" + text("conv.weight") + tensor + b"s."
    return zipped(**{"n/data.pkl": pickled, "n/data/0": struct.pack("<6f", *range(6))})


def test_the_handmade_tensor_is_sound(tmp_path: Path) -> None:
    (tmp_path / "n.pt").write_bytes(with_tensor(1, tuple_of(2, 2), tuple_of(3, 1)))
    found = read_checkpoint(tmp_path / "n.pt").tensors["conv.weight"]
    assert found.tolist() == [[1, 2], [4, 5]]


@pytest.mark.parametrize(
    ("offset", "size", "stride", "message"),
    [
        (0, (2, 4), (4, 1), "beyond the end of its storage"),
        (3, (2, 2), (3, 1), "beyond the end of its storage"),
        (0, (2, 2), (1 << 40, 1), "beyond the end of its storage"),
        (-1, (2, 2), (2, 1), "negative or impossible"),
        (0, (2, -2), (2, 1), "negative or impossible"),
        (5, (2, 2), (-2, -1), "negative or impossible"),
        (0, (1 << 70, 1), (1, 1), "negative or impossible"),
        (1 << 62, (1, 1), (1, 1), "negative or impossible"),
        (0, (1 << 40, 1 << 10), (0, 0), "numbers in its tensors"),
        (0, (1 << 61, 1 << 61), (0, 0), "numbers in its tensors"),
        (9, (0, 4), (4, 1), "beyond the end of its storage"),
        (0, (2, 3), (3,), "do not belong together"),
        (0, (1,) * 40, (1,) * 40, "do not belong together"),
    ],
)
def test_impossible_tensors(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...], message: str
) -> None:
    data = with_tensor(offset, tuple_of(*size), tuple_of(*stride))
    assert message in refusal(tmp_path, data)


@pytest.mark.parametrize(
    ("numel", "kind", "message"),
    [
        (7, "FloatStorage", "should have 28 bytes and has 24"),
        (6, "DoubleStorage", "should have 48 bytes and has 24"),
        (-6, "FloatStorage", "impossible size"),
        (1 << 60, "FloatStorage", "impossible size"),
        (6, "OtherStorage", "storage type that torch does not have"),
    ],
)
def test_impossible_storages(tmp_path: Path, numel: int, kind: str, message: str) -> None:
    data = with_tensor(0, tuple_of(2, 3), tuple_of(3, 1), numel, kind)
    assert message in refusal(tmp_path, data)


PICKLES = {
    "deep lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "deep tuples as a key": b"\x80\x02}K\x01" + b"\x85" * 100_000 + b"K\x01s.",
    "deep states": b"\x80\x02" + b"cnet\nNet\n)\x81" * 3000 + b"b" * 2999 + b".",
    "doubling lists": b"\x80\x02]" + b"(22e" * 60 + b".",
    "doubling dicts": b"\x80\x02" + b"}q\x00X\x01\0\0\0ah\x00sX\x01\0\0\0bh\x00s" + b".",
    "a memo index of four billion": b"\x80\x02}r\xff\xff\xff\xff.",
    "a text of four gigabytes": b"\x80\x02X\xff\xff\xff\xffabc.",
    "bytes of an exabyte": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"abc.",
    "a frame of an exabyte": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"}.",
    "an integer of many digits": b"I" + b"9" * 20_000 + b"\n.",
    "nothing on the stack": b"\x80\x02.",
    "an unknown memo": b"\x80\x02h\x07.",
    "no tuple for a call": b"\x80\x02ccollections\nOrderedDict\n]R.",
    "bytes(2130706432)": b"\x80\x02cbuiltins\nbytes\n(\x8a\x04\0\0\0\x7ftR.",
    "an odd dict": b"\x80\x02}(K\x01u.",
    "a list as a key": b"\x80\x02}]K\x01s.",
    "modules in a double chain": (
        b"\x80\x02}q\x00"
        + (
            b"0cnet\nNet\n)\x81}" + text("_parameters") + b"}s" + text("_modules")
            + b"}(" + text("a") + b"h\x00" + text("b") + b"h\x00usbq\x00"
        ) * 50 + b"."
    ),
    "a key that hashes forever": (
        b"\x80\x02}K\x01q\x00" + (b"(" + b"h\x00" * 4000 + b"tq\x00") * 5 + b"K\x01s."
    ),
    "copies of a long list": (
        b"\x80\x02(" + b"K\x01" * 50_000 + b"lq\x00"
        + b"cbuiltins\nlist\nq\x01" + b"h\x01h\x00\x85R" * 50_000 + b"."
    ),
    "copies of a long text": (
        b"\x80\x02X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x00"
        + b"c_codecs\nencode\nq\x01" + b"h\x01h\x00\x85R" * 50_000 + b"."
    ),
    "control characters in a name": b"\x80\x02cos\n\x1b[31mred\n.",
    "a dtype that is none": (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v3\n((" + text("storage")
        + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x06tQK\x00))NNK\x05tR."
    ),
    "modules in a circle": (
        b"\x80\x02cnet\nNet\n)\x81q\x00}" + text("_modules") + b"}" + text("self") + b"h\x00ss"
        + text("_parameters") + b"}sb."
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PICKLES)
def test_hostile_pickles_end_quickly(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, zipped(**{"net/data.pkl": PICKLES[name]}))


def test_many_views_of_the_same_numbers_are_refused(tmp_path: Path) -> None:
    numbers = torch.ones(1 << 20, dtype=torch.float16)
    state = {f"encoder.{number}.weight": numbers.view(1024, 1024) for number in range(80)}
    torch.save(state, tmp_path / "net.pt")
    with pytest.raises(InputError, match=r"over 41,97\d,\d+ numbers in its tensors"):
        normalise(read_checkpoint(tmp_path / "net.pt"))


def test_a_zip_bomb_is_refused_before_it_expands(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}." + bytes(1000))
    data = bytearray(buffer.getvalue())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 0xFFFFFFF0)  # expanded size
    assert "over 67,109,408 bytes of records" in refusal(tmp_path, bytes(data))


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_name_twice_in_a_zip_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/data.pkl", b"\x80\x02].")
    assert "the same name twice" in refusal(tmp_path, buffer.getvalue())


def test_a_big_endian_file_is_refused(tmp_path: Path) -> None:
    data = zipped(**{"net/data.pkl": b"\x80\x02}.", "net/byteorder": b"big"})
    assert "big-endian" in refusal(tmp_path, data)


def test_a_legacy_storage_of_absurd_length_is_refused(tmp_path: Path) -> None:
    data = FILES["legacy"]
    honest = struct.pack("<q", 18)
    at = data.rindex(honest)
    for numel in (19, -1, 1 << 62):
        forged = data[:at] + struct.pack("<q", numel) + data[at + 8 :]
        assert f"should have 18 numbers and has {numel}" in refusal(tmp_path, forged)


def test_a_safetensors_header_that_lies_is_refused(tmp_path: Path) -> None:
    header = {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(16)
    assert "safetensors says" in refusal(tmp_path, data)


def test_a_cut_off_safetensors_header_is_named(tmp_path: Path) -> None:
    assert "cut off" in refusal(tmp_path, FILES["safetensors"][:40])


def test_missing_paths_suggest_near_names(tmp_path: Path) -> None:
    (tmp_path / "breakage.pt").touch()
    with pytest.raises(InputError, match=r"does not exist\. Did you mean breakage\.pt\?"):
        read_checkpoint(tmp_path / "brekage.pt")
    with pytest.raises(InputError, match="neither does the folder"):
        read_checkpoint(tmp_path / "nowhere" / "breakage.pt")


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a folder without model\.safetensors"):
        read_checkpoint(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(FILES["zip"])
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(InputError, match="Permission denied"):
        read_checkpoint(path)


def test_a_device_is_no_checkpoint() -> None:
    with pytest.raises(InputError, match="no regular file"):
        read_checkpoint(Path(os.devnull))
