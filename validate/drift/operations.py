"""Describe what a file computes, as operations that can be run one at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray
from torch import Tensor

from validate.images.reading import Picture

FLOAT16 = 2.0**-11
"""Rounding to nearest moves a float16 value by at most this share of it; float32 likewise."""
FLOAT32 = 2.0**-24
Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Details:
    """Hold what a file says of an operation beside its running inputs.

    `weights` are its tensors by their parameter's name, as stored; `parameters` all else, in
    words.
    """

    weights: Weights = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileOperation:
    """Hold one operation of a file.

    Attributes:
        name: as the file has it.
        kind: "conv", say, "convolution" or "Conv".
        inputs: names of the running values that `run` takes, in order.
        outputs: names of the values that it gives.
        run: computes the outputs, as torch tensors, rounded as the file says.
        roundoff: FLOAT16 where it takes or gives float16, else FLOAT32.
        details: reads its constants from the file.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[Sequence[Any]], tuple[Any, ...]]
    roundoff: float
    details: Callable[[], Details]


class OpenedFile(Protocol):
    """Run the operations of a file."""

    operations: tuple[FileOperation, ...]

    def inputs(self, image: Picture) -> dict[str, Any]:
        """Return the values of its inputs for a picture `(H, W, C)`."""
        ...

    def stored(self, name: str, value: Tensor) -> Tensor:
        """Return `value` as the file would hold it under that name: rounded where it is float16."""
        ...

    def reference_name(self, name: str) -> str | None:
        """Return the name that PyTorch's graph has for a value of the file; None where none."""
        ...
