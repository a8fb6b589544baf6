"""The statements and the weights of an exported file, read from it without running it.

Statements are text by name, so that all formats are compared in one way:

    segport.labels     ["background", "breakage"]
    input image        RGB image 256 × 256
    output logits      float32 [1, 2, 256, 256]
    scale of image     1/255
    target             iOS15
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from export.metadata import PREFIX, PREVIEW_PREFIX
from validate.metadata.compressed_weights import CompressedWeight

LONGEST_TEXT = 1 << 20
"""The most characters of metadata that are read from a file."""


@dataclass(frozen=True)
class FileContent:
    """Hold what a file says, and its weights.

    Attributes:
        statements: text by name.
        weights: those of convolutions and matrix products, as stored, by their operation's name.
        precisions: of an ML program, "float16" or "float32" by the operation's name; operations
            without weights are named where they are in float16.
        compressed: the weights that are stored in few bits, by their operation's name.
    """

    statements: Mapping[str, str]
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    precisions: Mapping[str, str] = field(default_factory=dict)
    compressed: Mapping[str, CompressedWeight] = field(default_factory=dict)


def read_content(path: Path, format: str) -> FileContent:
    """Read a file that was exported in `format`.

    Raises InputError when it is damaged, or no file of that format.
    """
    if format == "onnx":
        from validate.metadata.onnx_content import read_onnx

        return read_onnx(path)
    if format == "torchscript":
        from validate.metadata.torchscript_content import read_torchscript

        return read_torchscript(path)
    from validate.metadata.coreml_content import read_coreml

    return read_coreml(path)


def own_entries(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that Segport writes, without the entries that converters add."""
    return {key: text for key, text in metadata.items() if key.startswith((PREFIX, PREVIEW_PREFIX))}


def array_text(dtype: str, shape: object) -> str:
    """Return the words for an array of a type and a shape, whose free sizes are "any".

    >>> array_text("float32", ["any", 2, 64, 64])
    'float32 [any, 2, 64, 64]'
    """
    sizes = ", ".join(map(str, shape)) if isinstance(shape, list | tuple) else "unknown"
    return f"{dtype} [{sizes}]"


def scale_text(scale: float, exact: float) -> str:
    """Return the words for the factor that pixels are multiplied by: `1/255` within `exact`.

    >>> scale_text(0.00392, 2**-10), scale_text(1 / 256, 2**-10)
    ('1/255', '1/256')
    """
    if not scale:
        return "0"
    whole = round(1 / scale)
    near = whole != 0 and abs(scale * whole - 1) <= exact
    return f"1/{whole}" if near else f"1/{1 / scale:.6g}"
