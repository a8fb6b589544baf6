"""Make bundles, references, arrays, photos and reports that are wrong at random, and read them."""

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import jsonschema  # noqa: F401 (imported here, so that no case pays for it)
import numpy as np
from damagekit.vectors_records import report as device_report
from made_reports import made_report
from PIL import Image

from export.bundle import (
    MANIFEST,
    Artifact,
    Bundle,
    Source,
    describe_files,
    read_bundle,
    verify_files,
    write_bundle,
)
from export.unlisted import unlisted_files
from models.common.json_codec import plain
from models.custom.option import parse_arguments
from models.errors import InputError
from models.specification import InputContract, Specification
from validate.images.arrays import read_array
from validate.images.batches import fits_one_batch
from validate.images.reading import UnreadablePicture, read_picture
from validate.images.samples import Samples, find_samples
from validate.ios.report import read_device_report
from validate.ios.report import to_markdown as device_markdown
from validate.metadata.torchscript_content import read_torchscript
from validate.metadata.verdict import require_verdict
from validate.metrics.tolerances_file import read_tolerances
from validate.predict.areas import Area, PredictedPhoto
from validate.predict.masks import endings
from validate.predict.resume import DonePhoto, _records
from validate.reference.network import load_reference
from validate.reference.stored import entry_names, identity_of, pixels_sha256, stored_reference
from validate.report.json_file import read_results, to_json

SIDE = 32
CHANNELS = 5
NUMBERS = (0, -1, 1, 32.0, 0.5, 1e12, 1e308, 8192, 200_000, 2**31, 2**53, 2**63, 10**30, -(2**62))
TEXTS = (
    *("", ".", "..", "/", "/etc/passwd", "../../x", "a/../../x", "C:\\x", "a\0b", "~", "-", "CON"),
    *("\x1b[31m", "\u202e", "\ud800", "\n", "=1+1", "0" * 64, "x" * 100_000, "bundle.json", "{}"),
)
RAW = (
    *("NaN", "-Infinity", "1e999", "-0", "9" * 5000, "[" * 100_000, '{"a":' * 100_000, "\0"),
    *('{"a": 1, "a": 2}', '"\\ud800"', '"', "\\", "tru", "\ufeff", "[" + "0," * 300_000 + "0]"),
)
METHODS = (*[zipfile.ZIP_STORED] * 4, *[zipfile.ZIP_DEFLATED] * 4, zipfile.ZIP_LZMA)


def make_case(random: Random, folder: Path) -> Path:
    """Write one hostile file, or a bundle of them, into `folder` and return its path."""
    return random.choice(MAKERS)(random, folder)


def read_case(path: Path) -> None:
    """Read a file as the product does; InputError where it is refused."""
    READERS[path.name](path)


def changed_json(random: Random, document: Any) -> bytes:
    """Return the text of `document` with one to three values changed, or bytes of it damaged."""
    document = json.loads(json.dumps(document))
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(document))
        if places:
            _change(random, *random.choice(places))
    text = re.sub('"RAW"', lambda _: random.choice(RAW), json.dumps(document))
    data = text.encode("utf-8", "surrogatepass")
    return damaged(random, data) if random.random() < 0.1 else data


def _change(random: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    kind = random.random()
    if kind < 0.1:
        holder[key] = "RAW"
    elif kind < 0.2:
        del holder[key]
    elif kind < 0.3:
        values = (*NUMBERS, *TEXTS, None, True, False, [], {}, [value], [[]] * 1000)
        holder[key] = random.choice(values)
    elif isinstance(value, str):
        holder[key] = random.choice((*TEXTS, value + random.choice(TEXTS), value[1:]))
    elif isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = type(value)(random.choice((*NUMBERS, value + 1, -value, value * 32)))
    elif isinstance(value, list):
        holder[key] = random.choice((value * 2, value[1:], value[::-1]))
    elif isinstance(value, dict):
        holder[key] = {**value, random.choice(TEXTS): random.choice([*value.values(), 0])}


def _places(value: Any) -> Any:
    """Yield the container and the key of each value in a document."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def damaged(random: Random, data: bytes) -> bytes:
    """Return `data` with some bytes changed, cut off, repeated or put in."""
    content = bytearray(data)
    match random.randrange(4):
        case 0:
            return bytes(content[: random.randrange(len(content) + 1)])
        case 1:
            start = random.randrange(len(content) + 1)
            content[start:start] = content[start // 2 : start]
        case 2:
            start = random.randrange(len(content) + 1)
            content[start:start] = random.choice((b"\0", b"\xff\xfe", b"PK\3\4", b"(" * 5000))
        case _:
            for _ in range(random.randint(1, 8)):
                if content:
                    content[random.randrange(len(content))] = random.randrange(256)
    return bytes(content)


def described(folder: Path) -> Bundle:
    """Write the files of a small bundle into `folder`, and describe them."""
    package = folder / "net.mlpackage" / "Data"
    package.mkdir(parents=True)
    (package / "model.mlmodel").write_bytes(b"model")
    (package.parent / "Manifest.json").write_bytes(b"{}")
    (folder / "net.onnx").write_bytes(b"onnx")
    artifacts = (
        ("mlprogram", "net.mlpackage", "float16", "iOS15"),
        ("onnx", "net.onnx", "float32", "opset 20"),
    )
    return Bundle(
        name="net",
        created="2026-01-01T00:00:00+00:00",
        source=Source("net.pt", "../../net.pt", "0" * 64, 1, "torch zip", ""),
        specification=Specification("smp", "Unet", 3, 2, 32, {"encoder_name": "resnet18"}),
        activation="softmax",
        contract=InputContract(SIDE, SIDE, (0.5, 0.4, 0.3), (0.2, 0.2, 0.2)),
        labels=("background", "breakage"),
        colours=("0x00000000", "0xD55E0099"),
        labels_source="LABELS",
        keys={"loaded": ["a"], "renamed": {"b": "c"}, "ignored": {"d": "buffer"}},
        findings=("odd",),
        artifacts=tuple(
            Artifact(*facts, describe_files(folder, facts[1]), 0.1) for facts in artifacts
        ),
        notes=(),
        timings={"Tracing": 1.0},
        versions={"torch": "2"},
    )


def _hostile_bundle(random: Random, folder: Path) -> Path:
    path = folder / "net"
    bundle = described(path)
    (path / "parity.json").write_text(to_json(_report()))
    (path / MANIFEST).write_bytes(changed_json(random, plain(bundle)))
    if random.random() < 0.3:
        _odd_file(random, path)
    return path


def _odd_file(random: Random, folder: Path) -> None:
    """Put a link, a pipe or a folder in the place of a file of the bundle, or of a folder."""
    path = random.choice(sorted(folder.rglob("*")))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    match random.randrange(4):
        case 0:
            path.symlink_to(random.choice(("/etc/passwd", "/dev/zero", path, folder.parent)))
        case 1:
            os.mkfifo(path)
        case 2:
            path.mkdir()
        case _:
            path.write_bytes(b"other")


def _read_bundle(folder: Path) -> None:
    bundle = read_bundle(folder)
    unlisted_files(bundle, folder)
    verify_files(bundle, folder)
    for file in bundle.files:
        path = folder / file.path
        assert path.resolve() == folder.resolve() / file.path, f"{path} leads elsewhere"
        assert path.is_file(), f"{path} is no file"
    assert "/" not in bundle.name, "the name is a path"
    fits_one_batch(Samples("", (), bundle.contract), bundle)
    assert endings(bundle) and identity_of(bundle) and bundle.specification.title
    require_verdict(folder, bundle, anyway=True)
    load_reference(bundle, folder)


@cache
def _report() -> Any:
    return made_report(2, 2, 32)


def _hostile_results(random: Random, folder: Path) -> Path:
    path = folder / "parity.json"
    path.write_bytes(changed_json(random, json.loads(to_json(_report()))))
    return path


def _read_results(path: Path) -> None:
    report = read_results(path)
    assert report.verdict and report.sentence and report.passed in (True, False)


def _hostile_device_report(random: Random, folder: Path) -> Path:
    path = folder / "device.json"
    path.write_bytes(changed_json(random, device_report()))
    return path


def _read_device_report(path: Path) -> None:
    device_markdown(read_device_report(path))


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _hostile_reference(random: Random, folder: Path) -> Path:
    """Write a bundle, a photo and what PyTorch would have made of it, the last of it wrong."""
    path = folder / "reference"
    bundle = described(path / "net")
    write_bundle(bundle, path / "net")
    (path / "photos").mkdir()
    Image.new("RGB", (40, 30), (9, 99, 199)).save(path / "photos" / "a.png")
    sample = find_samples(path / "photos", bundle.contract).read(0)
    logits = np.zeros((2, SIDE, SIDE), np.float32)
    names = entry_names(0)
    entry = {"name": sample.name, "sha256": pixels_sha256(sample)}
    document = {
        "schema": 2,
        "tool": "segport",
        "created": "2026-01-01T00:00:00+00:00",
        "bundle": "net",
        "bundle_sha256": "0" * 64,
        "network": identity_of(bundle),
        "noise": {"relative_error": 0.1, "psnr": 50.0, "magnitude": 1.0},
        "versions": {"torch": "2"},
        "pictures": [entry],
        "probes": [],
        "skipped": [],
    }
    parts = {
        "reference.json": json.dumps(document).encode(),
        names[0]: _npy(logits),
        names[1]: _npy(np.zeros((SIDE, SIDE), np.uint8)),
    }
    wrong = random.choice((None, *parts))
    if wrong == "reference.json":
        parts[wrong] = changed_json(random, document)
    elif wrong is not None:
        parts[wrong] = _wrong_npy(random, parts[wrong])
    archive = path / "reference.npz"
    with zipfile.ZipFile(archive, "w", random.choice(METHODS)) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    if wrong is None:
        archive.write_bytes(damaged(random, archive.read_bytes()))
    return path


def _read_reference(path: Path) -> None:
    samples = find_samples(path / "photos", InputContract(SIDE, SIDE))
    bundle = read_bundle(path / "net")
    with stored_reference(path / "reference.npz", bundle, samples) as reference:
        for sample in samples:
            assert reference.outputs(sample).logits.shape == (2, SIDE, SIDE)


def _wrong_npy(random: Random, data: bytes) -> bytes:
    """Return a `.npy` file with another header, or damaged."""
    if random.random() < 0.4:
        return damaged(random, data)
    shapes = ("(-1, 4, 5)", "(True, 4, 5)", "(2**62, 4, 5)", "(4611686018427387904, 4, 5)", "()")
    kinds = (
        "'|O'",
        "'<f4'",
        "'>f8'",
        "'<U9999999'",
        "[('a', '<f4')]",
        "'V0'",
        "'<M8[s]'",
        "'<f16'",
    )
    odd = ("(" * 3000, "-" * 9000 + "1", "{}", "__import__('os')", "[" * 190 + "]" * 190, "1L")
    header = random.choice(
        (
            f"{{'descr': {random.choice(kinds)}, 'fortran_order': {random.choice(('False', '3'))}, "
            f"'shape': {random.choice((*shapes, '(9, 8, 5)'))}, }}",
            random.choice(odd),
        )
    )
    version = random.choice((b"\1\0", b"\2\0", b"\3\0", b"\x09\0"))
    length = len(header).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + length + header.encode() + bytes(random.choice((0, 64, 1440)))


def _hostile_array(random: Random, folder: Path) -> Path:
    path = folder / "photo.npy"
    array = np.full((9, 8, CHANNELS), 7, random.choice((np.uint8, np.uint16, np.float64)))
    path.write_bytes(_wrong_npy(random, _npy(array)))
    return path


def _read_array(path: Path) -> None:
    try:
        assert read_array(path, CHANNELS).shape[2] == CHANNELS
    except UnreadablePicture as error:
        raise InputError(str(error)) from None


def _hostile_photo(random: Random, folder: Path) -> Path:
    path, file = folder / "photo.png", io.BytesIO()
    picture = Image.effect_noise((37, 29), 90)
    format = random.choice(("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "EPS", "ICO"))
    mode = random.choice(("L", "RGB"))
    picture.convert(mode).save(file, format)
    data = file.getvalue()
    for _ in range(random.randint(0, 3)):
        data = damaged(random, data)
    path.write_bytes(data)
    return path


def _read_photo(path: Path) -> None:
    try:
        assert read_picture(path).shape[2] == 3
    except UnreadablePicture as error:
        raise InputError(str(error)) from None


def _hostile_state(random: Random, folder: Path) -> Path:
    photo = PredictedPhoto("a.png", ("a.mask.png",), "a.jpg", 4, 4, (Area("x", 1, 2.0),))
    path = folder / "state.jsonl"
    lines = [changed_json(random, plain(DonePhoto(1, 2, photo))) for _ in range(3)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def _read_state(path: Path) -> None:
    for record in _records(path.read_text("utf-8", "replace").splitlines(True)):
        assert {record.photo.photo} and json.dumps(asdict(record))


def _hostile_tolerances(random: Random, folder: Path) -> Path:
    path = folder / "tolerances.toml"
    values = (*map(repr, NUMBERS), *RAW, "nan", "'x'", "[[[1]]]", "{a = 1}", "9" * 4000)
    text = f'[mlprogram.float16]\nmax_error = {random.choice(values)}\nreason = "why"\n'
    odd = random.choice(("[" * 9000, "a." * 9000 + "b = 1", "[" + "a." * 9000 + "b]", "\0"))
    path.write_text(text if random.random() < 0.7 else text + odd)
    if random.random() < 0.3:
        path.write_bytes(damaged(random, path.read_bytes()))
    return path


def _hostile_arguments(random: Random, folder: Path) -> Path:
    path = folder / "arguments.json"
    path.write_bytes(changed_json(random, {"classes": 3, "widths": [1, 2], "nested": {"a": "b"}}))
    return path


def _read_arguments(path: Path) -> None:
    parse_arguments(path.read_text("utf-8", "replace"))


def _hostile_archive(random: Random, folder: Path) -> Path:
    """Write a TorchScript archive whose metadata, pickle or constants are wrong."""
    path = folder / "net.torchscript.pt"
    statements = {"segport.labels": '["a"]', "segport.versions": '{"torch": "2"}'}
    with zipfile.ZipFile(path, "w", random.choice(METHODS)) as z:
        z.writestr("net/extra/segport.json", changed_json(random, statements))
        z.writestr("net/constants.pkl", damaged(random, b"\x80\2ctorch FloatStorage\nq\0."))
        z.writestr("net/constants/0", bytes(64))
    if random.random() < 0.4:
        path.write_bytes(damaged(random, path.read_bytes()))
    return path


READERS: dict[str, Callable[[Path], object]] = {
    "net": _read_bundle,
    "parity.json": _read_results,
    "device.json": _read_device_report,
    "reference": _read_reference,
    "photo.npy": _read_array,
    "photo.png": _read_photo,
    "state.jsonl": _read_state,
    "tolerances.toml": read_tolerances,
    "arguments.json": _read_arguments,
    "net.torchscript.pt": read_torchscript,
}
MAKERS = (
    *(_hostile_bundle, _hostile_bundle, _hostile_bundle, _hostile_results, _hostile_device_report),
    *(_hostile_reference, _hostile_array, _hostile_photo, _hostile_state, _hostile_tolerances),
    *(_hostile_arguments, _hostile_archive),
)
