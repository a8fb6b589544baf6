"""Write and read `bundle.json`: what a bundle holds, what it was made of, how to check it.

The file is read back through its JSON Schema (`bundle.schema.json`, draft 2020-12) before
anything in it is used.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from export.bundle_consistency import SMALL, require_consistent
from export.result_files import RESULTS
from export.schema import read_valid, require_valid
from export.unlisted import require_models_listed
from models.common.hashing import sha256_of
from models.common.json_codec import plain, revive
from models.common.paths import require_no_pointer
from models.common.text import counted
from models.errors import InputError
from models.specification import Choices, InputContract, Specification

MANIFEST = "bundle.json"
SCHEMA_FILE = Path(__file__).with_name("bundle.schema.json")
SCHEMA = 2
REMEDY = "Export the bundle again."
TOOL = "segport"


@dataclass(frozen=True)
class BundleFile:
    """Name one file, by its path relative to the bundle, with `/` between folders."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Pin:
    """Name an operation of a float16 program that is computed in float32, and say why.

    `operation` is its name and `type` its type in the program, `module` the PyTorch module that
    it comes from, where that is known.
    """

    operation: str
    type: str
    module: str | None
    reason: str

    @property
    def title(self) -> str:
        """Return the name that says most, with the type: `decoder.blocks.2.conv1.0 (conv)`."""
        return f"{self.module or self.operation} ({self.type})"


@dataclass(frozen=True)
class Compression:
    """Say how the weights of a smaller mlprogram are stored, and what its masks promise.

    `form` is one of `export.compression.forms`; `min_iou` is the least IoU, 0 to 1, of each class's
    mask to that of PyTorch.
    """

    form: str
    min_iou: float


@dataclass(frozen=True)
class Artifact:
    """Describe one exported file: `torchscript`, `mlprogram`, `neuralnetwork` or `onnx`.

    `path` is the file, or the folder in the case of an `.mlpackage`; `precision` is that of
    its arithmetic but for the `pins`, `target` the Core ML deployment target or the ONNX opset;
    `compression` is that of the smaller mlprogram beside the plain one.
    """

    format: str
    path: str
    precision: str
    target: str
    files: tuple[BundleFile, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    compression: Compression | None = None

    @property
    def key(self) -> str:
        """Return the name that it is chosen by: its format, or "small" for the compressed one."""
        return SMALL if self.compression else self.format

    @property
    def size(self) -> int:
        """Return the bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def arithmetic(self) -> str:
        """Return its precision in words: `float16, 3 operations in float32, palette4`."""
        pins = f"{counted(len(self.pins), 'operation')} in float32" if self.pins else ""
        form = self.compression.form if self.compression else ""
        return ", ".join(filter(None, (self.precision, pins, form)))


@dataclass(frozen=True)
class OwnCode:
    """Record the code of a user's own network, to compare when they name it again, never to import.

    `name` as `unet.py:Net`, without folders; `files` the SHA-256 of each file of theirs that ran,
    that of the named one first.
    """

    name: str
    arguments: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """Say which weights a bundle was made of: `choices` read them again as they were read.

    `path` leads from the bundle to a checkpoint that lies near it, and is else its name alone: see
    `near_path`. Where a module in memory was exported, `module` is the name of its class, and
    `file` holds its weights in the bundle itself.
    """

    file: str
    path: str
    sha256: str
    size: int
    container: str
    entry: str
    weights: str | None = None
    choices: Choices = field(default_factory=Choices)
    code: OwnCode | None = None
    module: str | None = None


@dataclass(frozen=True)
class Bundle:
    """Hold everything that `bundle.json` says."""

    name: str
    created: str
    source: Source
    specification: Specification
    activation: str
    contract: InputContract
    labels: tuple[str, ...]
    colours: tuple[str, ...]
    labels_source: str
    keys: Mapping[str, Any]
    findings: tuple[str, ...]
    artifacts: tuple[Artifact, ...]
    notes: tuple[str, ...]
    timings: Mapping[str, float]
    versions: Mapping[str, str]
    schema: int = SCHEMA
    tool: str = TOOL
    licence: str | None = None
    author: str | None = None

    @property
    def files(self) -> Iterator[BundleFile]:
        """Yield every file of the bundle but bundle.json itself and the results of judging it."""
        if self.source.module is not None:
            yield BundleFile(self.source.path, self.source.size, self.source.sha256)
        for artifact in self.artifacts:
            yield from artifact.files

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the logits of one image, `(1, C, H, W)`."""
        size = self.contract.width, self.contract.height
        width, height = self.specification.output_size(*size)
        return (1, self.specification.classes, height, width)

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """Return the shape of an image's mask: `(H, W)`, `(C, H, W)` of independent channels."""
        return self.specification.mask_shape(self.contract.width, self.contract.height)


def describe_files(folder: Path, path: str) -> tuple[BundleFile, ...]:
    """Return size and SHA-256 of `path` in `folder`, or of every file below it, sorted."""
    target = folder / path
    found = sorted(target.rglob("*")) if target.is_dir() else [target]
    return tuple(
        BundleFile(f.relative_to(folder).as_posix(), f.stat().st_size, sha256_of(f))
        for f in found
        if f.is_file()
    )


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write `bundle.json` into `folder`, having held it against its schema."""
    document = plain(bundle)
    require_valid(document, SCHEMA_FILE, folder / MANIFEST, "a bundle description", REMEDY)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", errors="backslashreplace")


def read_bundle(folder: Path) -> Bundle:
    """Read the `bundle.json` of `folder`.

    Raises InputError when there is none, it is not one of ours, or it contradicts itself.
    """
    path = folder / MANIFEST
    if not path.is_symlink() and not path.exists():
        raise InputError(
            f"{folder} is not a bundle: it has no {MANIFEST}. Give the folder that "
            "`segport export` wrote, such as build/breakage."
        )
    require_inside(path, folder)
    document = read_valid(path, SCHEMA_FILE, "a bundle description", REMEDY)
    try:
        bundle = cast(Bundle, revive(Bundle, document))
    except ValueError as error:  # fields that another version has, and the schema lets pass
        raise InputError(f"{path} cannot be used: {error}. {REMEDY}") from None
    require_consistent(bundle, path)
    return bundle


def verify_files(bundle: Bundle, folder: Path) -> None:
    """Raise InputError where a file is missing, changed or a link, or a model is not listed.

    What is listed is then an ordinary file in `folder`, and all that a package holds is listed.
    """
    for file in bundle.files:
        _verify(file, folder)
    for result in RESULTS:  # validate reads some, and writes all
        require_inside(folder / result, folder)
    require_models_listed(bundle, folder)


def require_inside(path: Path, folder: Path) -> None:
    """Raise InputError where `path` is a link, or a folder on the way to it from `folder` is."""
    inner = path.relative_to(folder)
    if any((folder / part).is_symlink() for part in (inner, *inner.parents[:-1])):
        raise InputError(
            f"{path} is a link, and a bundle's files are files of its own: copy the whole bundle "
            "with what its links lead to (cp -RL), or export it again."
        )


def _verify(file: BundleFile, folder: Path) -> None:
    path = folder / file.path
    require_inside(path, folder)
    if not path.is_file():
        raise InputError(f"{path} is missing: copy the whole bundle, or export it again.")
    require_no_pointer(path)
    if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
        raise InputError(
            f"{path} is not the file that was exported (its SHA-256 differs from bundle.json's): "
            "it was changed or cut off. Copy the whole bundle, or export it again."
        )
