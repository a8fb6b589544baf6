"""Mutates small Core ML packages and runs what is left: only clear errors or results are allowed.

python tests/coreml/fuzz_packages.py 10000 [seed]
"""

import random
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image

from models.errors import InputError
from validate import coreml
from validate.coreml.features import ArrayFeature, ImageFeature
from validate.coreml.reader.specification import Model_pb2
from validate.coreml.registry import OPERATIONS

MODEL = "Data/com.apple.CoreML/model.mlmodel"
BARE_MODEL = ".mlmodel"  # the only file of a model that is no package
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
MANIFEST = "Manifest.json"
NUMBERS = (0, 1, 2, 3, 7, 255, 2**15, 2**20, 2**31 - 1, 2**32, 2**40, 2**62, -1, -2, -(2**31))
LARGEST_INPUT = 2**20
SLOW_SECONDS = 60.0

Files = dict[str, bytes]


def read_files(package: Path) -> Files:
    if package.is_file():
        return {BARE_MODEL: package.read_bytes()}
    return {
        str(path.relative_to(package)): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file()
    }


def write_files(files: Files, folder: Path) -> Path:
    """Write the files to `folder`, emptied first, and return the model's path."""
    shutil.rmtree(folder, ignore_errors=True)
    model = folder / ("mutated.mlmodel" if BARE_MODEL in files else "mutated.mlpackage")
    for name, content in files.items():
        path = model if name == BARE_MODEL else model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return model


def mutate(files: Files, rng: random.Random) -> Files:
    """Return the files with one to three things wrong."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        files = rng.choices(MUTATIONS, WEIGHTING)[0](dict(files), rng)
    return files


def flip_bytes(files: Files, rng: random.Random) -> Files:
    name = rng.choice(sorted(files))
    content = bytearray(files[name])
    for _ in range(rng.randint(1, 4)):
        if content:
            content[rng.randrange(len(content))] = rng.randrange(256)
    files[name] = bytes(content)
    return files


def cut_off(files: Files, rng: random.Random) -> Files:
    name = rng.choice(sorted(files))
    files[name] = files[name][: rng.randrange(len(files[name]) + 1)]
    return files


def remove_file(files: Files, rng: random.Random) -> Files:
    if len(files) > 1:
        del files[rng.choice(sorted(files))]
    return files


def change_blob_header(files: Files, rng: random.Random) -> Files:
    if WEIGHTS not in files:
        return files
    content = bytearray(files[WEIGHTS])
    marks = [
        i for i in range(0, len(content) - 64, 64) if content[i : i + 4] == b"\xef\xbe\xad\xde"
    ]
    if marks:
        field = rng.choice((0, 4, 8, 16, 24))
        value = struct.pack("<Q", rng.choice(NUMBERS) % 2**64)[: 4 if field < 8 else 8]
        start = rng.choice(marks) + field
        content[start : start + len(value)] = value
    files[WEIGHTS] = bytes(content)
    return files


def change_manifest(files: Files, rng: random.Random) -> Files:
    if MANIFEST not in files:
        return files
    text = files[MANIFEST].decode(errors="replace")
    old = rng.choice(("com.apple.CoreML/model.mlmodel", "path", "itemInfoEntries", '"1.0.0"'))
    new = rng.choice(("../../../etc/passwd", "/etc/passwd", "", "null", "[" * 3000, "\\u0000"))
    files[MANIFEST] = text.replace(old, new).encode()
    return files


def change_specification(files: Files, rng: random.Random) -> Files:
    """Change a field, an operation's type, a name or the order somewhere in the protobuf."""
    name = BARE_MODEL if BARE_MODEL in files else MODEL
    try:
        model = Model_pb2.Model.FromString(files.get(name, b""))
    except Exception:  # the file was damaged by an earlier mutation
        return files
    fields = list(_fields(model))
    if rng.random() < 0.6:  # the numbers of constants: they pass more checks than types do
        deep = [each for each in fields if _is_deep(each[0].DESCRIPTOR.full_name)]
        fields = deep or fields
    if fields:
        message, field = rng.choice(fields)
        _change(message, field, rng)
    files[name] = model.SerializeToString()
    return files


def _is_deep(message: str) -> bool:
    return "TensorValue" in message or message.endswith("LayerParams")


def _fields(message: Any) -> Iterator[tuple[Any, Any]]:
    for field, value in message.ListFields():
        yield message, field
        if field.type != field.TYPE_MESSAGE:
            continue
        is_map = field.message_type.GetOptions().map_entry
        if is_map and field.message_type.fields_by_name["value"].type == field.TYPE_MESSAGE:
            children = list(value.values())
        elif is_map:
            continue
        else:
            children = list(value) if field.is_repeated else [value]
        for child in children:
            yield from _fields(child)


def _change(message: Any, field: Any, rng: random.Random) -> None:
    value = getattr(message, field.name)
    if field.type == field.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
        del value[rng.choice(sorted(value))]
    elif field.is_repeated:
        _change_list(value, field, rng)
    elif field.type == field.TYPE_MESSAGE:
        message.ClearField(field.name)
    else:
        try:
            setattr(message, field.name, _other(value, field, rng))
        except (ValueError, TypeError, OverflowError):
            message.ClearField(field.name)


def _change_list(values: Any, field: Any, rng: random.Random) -> None:
    items = list(values)
    match rng.randrange(4):
        case 0:
            items.pop(rng.randrange(len(items)))
        case 1:
            items.append(rng.choice(items))
        case 2:
            rng.shuffle(items)
        case _ if field.type != field.TYPE_MESSAGE:
            items[rng.randrange(len(items))] = _other(items[0], field, rng)
    copies = (
        [type(each).FromString(each.SerializeToString()) for each in items]
        if (field.type == field.TYPE_MESSAGE)
        else items
    )
    del values[:]
    try:
        values.extend(copies)
    except (ValueError, TypeError, OverflowError):
        return


def _other(value: Any, field: Any, rng: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((*NUMBERS, value + 1, value - 1))
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, 1e30, float("nan"), float("inf"), 2.0**31))
    if isinstance(value, bytes):
        return value[: rng.randrange(len(value) + 1)]
    if field.name == "type":
        return rng.choice(sorted(OPERATIONS))
    return rng.choice(("", "x", "missing", "fp32", "same", "CoreML8", "@model_path/../../../x"))


MUTATIONS: tuple[Callable[[Files, random.Random], Files], ...] = (
    change_specification,
    change_blob_header,
    flip_bytes,
    cut_off,
    remove_file,
    change_manifest,
)
WEIGHTING = (12, 3, 4, 1, 0.3, 0.7)


def outcome(package: Path) -> str:
    """Load and run a package: "computed" or "refused"; anything else is raised."""
    try:
        model = coreml.load(package)
        data = {feature.name: _value(feature) for feature in model.interface.inputs}
        model.predict(data, state=model.make_state())
    except InputError as error:
        if "\n" in str(error) or not str(error).startswith(str(package)):
            raise AssertionError(f"not one clear sentence about the file: {error}") from error
        return "refused"
    return "computed"


def _value(feature: Any) -> Any:
    """Return a value for an input, unless it is too large to make."""
    if isinstance(feature, ImageFeature):
        mode = {"GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}.get(feature.color, "RGB")
        height, width = (min(max(size, 1), 512) for size in feature.size)
        return Image.new(mode, (width, height))
    if isinstance(feature, ArrayFeature):
        sizes = [abs(size) for size in feature.shape]
        if np.prod([float(size) for size in sizes]) > LARGEST_INPUT:
            return np.zeros(1, np.float32)
        return np.ones(sizes, np.dtype(feature.dtype))
    return 0


def fuzz(seeds: list[Path], count: int, seed: int, folder: Path) -> Counter[str]:
    """Run `count` mutations of the seeds; return how often each outcome came.

    Raises:
        AssertionError: naming the case, if one is slow or fails in another way than InputError.
    """
    torch.set_num_threads(min(2, torch.get_num_threads()))
    originals = [read_files(path) for path in seeds]
    counts: Counter[str] = Counter()
    for case in range(count):
        rng = random.Random(f"{seed}:{case}")
        package = write_files(mutate(rng.choice(originals), rng), folder / "mutated")
        started = time.process_time()
        try:
            counts[outcome(package)] += 1
        except Exception as error:
            raise AssertionError(f"case {seed}:{case} raised {error!r}") from error
        if time.process_time() - started > SLOW_SECONDS:
            raise AssertionError(f"case {seed}:{case} took more than {SLOW_SECONDS:.0f} seconds")
    return counts


@cache
def originals() -> tuple[Files, ...]:
    from fuzz_seeds import save_seeds

    with tempfile.TemporaryDirectory() as temporary:
        return tuple(map(read_files, save_seeds(Path(temporary))))


def make_case(rng: random.Random, folder: Path) -> Path:
    """Write a mutation of a seed into `folder` and return its path."""
    return write_files(mutate(rng.choice(originals()), rng), folder / "mutated")


def read_case(package: Path) -> None:
    """Load and run a package; InputError where it is refused, in a sentence that names it."""
    outcome(package)


def main(count: int, seed: int) -> None:
    from fuzz_seeds import save_seeds

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        counts = fuzz(save_seeds(folder), count, seed, folder)
    click.echo(f"{count} mutated packages: {dict(counts)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
