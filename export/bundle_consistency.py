"""Refuse a `bundle.json` that contradicts itself, before anything is judged by what it says."""

import math
import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from export.compression.forms import OLDEST_TARGET, is_at_least
from export.settings import NEURALNETWORK_TARGETS, TARGETS, safe_name
from models.errors import InputError
from models.labels import choose_labels, mask_values

if TYPE_CHECKING:
    from export.bundle import Artifact, Bundle

# Labels that follow from the file's name and the number of classes alone.
DERIVED_LABELS = ("numbered", "file name")
# The end of a file's name, by its format.
SUFFIX = {
    "torchscript": ".torchscript.pt",
    "mlprogram": ".mlpackage",
    "neuralnetwork": ".mlmodel",
    "onnx": ".onnx",
}
SMALL = "small"
"""The name of the compressed mlprogram, where the others have that of their format."""
SUFFIX_OF_SMALL = ".small.mlpackage"
LONGEST_NAME = 200
"""Characters of a name: file systems take 255 bytes, its ending included."""
MOST_VALUES = 1 << 29
"""Numbers of a picture, and of its logits: 2 GiB of float32."""
TARGET_PATTERNS = {
    "torchscript": r"torch \d[\w.]*",
    "mlprogram": "|".join(target for target in TARGETS if target not in NEURALNETWORK_TARGETS),
    "neuralnetwork": "|".join(NEURALNETWORK_TARGETS),
    "onnx": r"opset [1-9]\d*",
}


def require_consistent(bundle: "Bundle", path: Path) -> None:
    """Raise InputError, naming the first contradiction in `bundle`, which was read from `path`."""
    for sentence in chain(_about_names(bundle), _about_network(bundle), _about_artifacts(bundle)):
        raise InputError(
            f"{path} contradicts itself: {sentence}. Copy the whole bundle again from where it "
            "was made, or export it again."
        )


def file_name(name: str, key: str) -> str:
    """Return the name of the file of a bundle called `name` that is chosen by `key`."""
    return name + (SUFFIX_OF_SMALL if key == SMALL else SUFFIX[key])


def is_plain(path: str) -> bool:
    """Return whether each part of a relative path is a name that Segport gives to files.

    >>> is_plain("a.mlpackage/Data/weight.bin"), is_plain("../a"), is_plain("/a"), is_plain("a b")
    (True, False, False, False)
    """
    return all(len(part) <= LONGEST_NAME and safe_name(part) == part for part in path.split("/"))


def near_path(path: Path, bundle: Path) -> str:
    """Return the way from the folder `bundle` to a checkpoint, where it is short, or its name.

    A bundle does not tell the folders of the machine that made it, but finds a checkpoint in the
    project that it lies in: that is below the folder two above it.
    """
    way = Path(os.path.relpath(path, bundle)).as_posix()
    project = bundle.absolute().parent.parent
    return way if _is_near(way) and project != Path(project.anchor) else path.name


def _is_near(way: str) -> bool:
    return all(map(_is_name, way.removeprefix("../").removeprefix("../").split("/")))


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..") and not {"/", "\0"} & set(part) and len(part) <= 255


def _about_names(bundle: "Bundle") -> Iterator[str]:
    source = bundle.source
    if "/" in bundle.name or not is_plain(bundle.name):
        yield f"its name, {bundle.name[:80]!r}, is not the name of a bundle"
    if not _is_name(source.file):
        yield f"its checkpoint's name, {source.file[:80]!r}, is not the name of a file"
    is_stored = source.path == f"{bundle.name}.safetensors"
    if not (_is_near(source.path) if source.module is None else is_stored):
        yield f"its checkpoint's path, {source.path[:80]!r}, is not one in or near the bundle"


def _about_network(bundle: "Bundle") -> Iterator[str]:
    specification, contract = bundle.specification, bundle.contract
    if bundle.activation != specification.activation:
        yield (
            f"its activation is {bundle.activation}, and that of its specification "
            f"{specification.activation}"
        )
    if contract.channels != specification.in_channels:
        yield (
            f"its pictures have {contract.channels} channels, and its network takes "
            f"{specification.in_channels}"
        )
    for name, values in (("mean", contract.mean), ("std", contract.std)):
        if values is not None and not _are_statistics(name, values, contract.channels):
            yield f"its {name} {list(values)} does not suit {contract.channels} channels"
    yield from _about_size(bundle)
    yield from _about_labels(bundle)


def _are_statistics(name: str, values: tuple[float, ...], channels: int) -> bool:
    numbers = all(math.isfinite(value) and (name == "mean" or value > 0) for value in values)
    return numbers and len(values) == channels


def _about_size(bundle: "Bundle") -> Iterator[str]:
    width, height = bundle.contract.width, bundle.contract.height
    if not bundle.specification.takes(width, height) or min(bundle.shape) < 1:
        yield f"its network does not take pictures of {width}x{height}"
    if max(math.prod(bundle.contract.shape), math.prod(bundle.shape)) > MOST_VALUES:
        yield f"its pictures, or its network's logits, have more than {MOST_VALUES:,} numbers"


def _about_labels(bundle: "Bundle") -> Iterator[str]:
    specification, labels = bundle.specification, bundle.labels
    count = mask_values(specification.classes)
    for name, values in (("labels", labels), ("colours", bundle.colours)):
        if len(values) != count:
            yield f"it has {len(values)} {name} for {count} values of the mask"
            return
    if bundle.labels_source in DERIVED_LABELS:
        file = Path(bundle.source.file)
        derived = choose_labels(
            file, specification.classes, None, {}, independent=specification.independent
        )
        if derived.source == bundle.labels_source and derived.names != labels:
            yield (
                f"its labels are {', '.join(labels)}, and by their source "
                f"({bundle.labels_source}) they are {derived.summary}"
            )


def _about_artifacts(bundle: "Bundle") -> Iterator[str]:
    seen = set()
    for artifact in bundle.artifacts:
        if artifact.path in seen:
            yield f"it lists {artifact.path} twice"
        seen.add(artifact.path)
        yield from _about_artifact(artifact, bundle.name)
        if artifact.compression is not None:
            yield from _about_compression(artifact, bundle)


def _about_artifact(artifact: "Artifact", name: str) -> Iterator[str]:
    format, path = artifact.format, artifact.path
    listed = [file.path for file in artifact.files]
    if path != file_name(name, artifact.key):
        yield f"it says that {path[:80]!r} is a file of the format {format}"
    if len(set(listed)) != len(listed) or not all(_is_part(file, path, format) for file in listed):
        yield f"it lists files for {path} that are not part of it"
    if artifact.precision == "float16" and format != "mlprogram":
        yield f"it says that {path} is float16, and {format} files are exported in float32 only"
    if artifact.pins and (format, artifact.precision) != ("mlprogram", "float16"):
        yield f"it says that {path} keeps operations in float32, and all of it is float32"
    if not re.fullmatch(TARGET_PATTERNS[format], artifact.target):
        yield f"it says that {path} is for {artifact.target}, which no {format} file is for"


def _about_compression(artifact: "Artifact", bundle: "Bundle") -> Iterator[str]:
    plain = [each for each in bundle.artifacts if each.key == "mlprogram"]
    if artifact.format != "mlprogram" or not plain:
        yield f"it says that {artifact.path} is compressed, and lists no mlprogram beside it"
    elif (artifact.precision, artifact.pins) != (plain[0].precision, plain[0].pins):
        yield f"it says that {artifact.path} computes otherwise than {plain[0].path}"
    if not is_at_least(artifact.target, OLDEST_TARGET):
        yield f"it says that {artifact.path} is for {artifact.target}, which runs no such file"


def _is_part(file: str, artifact: str, format: str) -> bool:
    """Return whether a listed file is the artifact itself, or lies in it where it is a package."""
    if format == "mlprogram":
        return file.startswith(f"{artifact}/") and is_plain(file)
    return file == artifact
