"""Refuse a `bundle.json` that contradicts itself, before anything is judged by what it says."""

import math
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from export.settings import LARGEST_SIDE, NEURALNETWORK_TARGETS, TARGETS, require_size_fits
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
TARGET_PATTERNS = {
    "torchscript": r"torch \d[\w.]*",
    "mlprogram": "|".join(target for target in TARGETS if target not in NEURALNETWORK_TARGETS),
    "neuralnetwork": "|".join(NEURALNETWORK_TARGETS),
    "onnx": r"opset [1-9]\d*",
}


def require_consistent(bundle: "Bundle", path: Path) -> None:
    """Raise InputError, naming the first contradiction in `bundle`, which was read from `path`."""
    for sentence in (*_about_network(bundle), *_about_artifacts(bundle)):
        raise InputError(
            f"{path} contradicts itself: {sentence}. Copy the whole bundle again from where it "
            "was made, or export it again."
        )


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
    try:
        require_size_fits(width, height, bundle.specification)
    except InputError:
        yield f"its network does not take pictures of {width}x{height}"
    if max(width, height) > LARGEST_SIDE:
        yield f"its pictures of {width}x{height} are larger than {LARGEST_SIDE} pixels"


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
        yield from _about_artifact(artifact)


def _about_artifact(artifact: "Artifact") -> Iterator[str]:
    format, path = artifact.format, artifact.path
    if "/" in path or "\0" in path or not path.endswith(SUFFIX[format]):
        yield f"it says that {path!r} is a file of the format {format}"
    if any(not _is_part(file.path, path) for file in artifact.files):
        yield f"it lists files for {path} that are not part of it"
    if artifact.precision == "float16" and format != "mlprogram":
        yield f"it says that {path} is float16, and {format} files are exported in float32 only"
    if artifact.pins and (format, artifact.precision) != ("mlprogram", "float16"):
        yield f"it says that {path} keeps operations in float32, and all of it is float32"
    if not re.fullmatch(TARGET_PATTERNS[format], artifact.target):
        yield f"it says that {path} is for {artifact.target}, which no {format} file is for"


def _is_part(file: str, artifact: str) -> bool:
    """Return whether a listed file is the artifact itself, or lies in its package."""
    parts = PurePosixPath(file).parts
    return bool(parts) and parts[0] == artifact and ".." not in parts
