"""What every runtime takes and gives, and the checks that their outputs share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.specification import Specification
from validate.pictures import RGBImage

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Outputs:
    """What a runtime computed for one picture: float32 `logits (C, H, W)`, int32 `mask (H, W)`."""

    logits: NDArray[np.float32]
    mask: NDArray[np.int32]


class Runtime(Protocol):
    """An artifact, loaded and ready to compute."""

    def run(self, image: RGBImage) -> Outputs:
        """Compute logits and mask of `image (H, W, 3)`, uint8, RGB.

        Raises MalformedOutput when the artifact gives something else than a bundle promises.
        """
        ...


@dataclass(frozen=True)
class NotRun:
    """A runtime that does not exist here, and why."""

    runtime: str
    reason: str


class MalformedOutput(Exception):
    """An artifact's outputs are not what a bundle promises; the message says in which way."""


class OutOfScope(Exception):
    """A runtime lacks what an artifact needs, which says nothing against the artifact."""


def checked_outputs(
    logits: object, mask: object, specification: Specification, image: RGBImage
) -> Outputs:
    """Outputs made of one picture's `logits (1, C, H, W)` and `mask`, `(H, W)` or `(1, H, W)`.

    H and W are the picture's own, less the margin that a network of unpadded convolutions loses.

    Raises MalformedOutput for another type, shape, or a mask value that is no class; values
    that are not finite are left to the comparison, which knows the reference's.
    """
    classes = specification.classes
    width, height = specification.output_size(image.shape[1], image.shape[0])
    good = _array("logits", logits, "float32", [(1, classes, height, width)])
    labels = _array("mask", mask, "int32", [(height, width), (1, height, width)])
    labels = labels.reshape(height, width)
    if labels.min() < 0 or labels.max() >= max(2, classes):
        worst = labels.max() if labels.max() >= max(2, classes) else labels.min()
        raise MalformedOutput(f"its mask holds {worst}, which is none of the {classes} classes")
    return Outputs(good[0], labels)


def named_outputs(outputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """The `logits` and `mask` among an artifact's outputs; MalformedOutput without them."""
    missing = [name for name in ("logits", "mask") if name not in outputs]
    if missing:
        there = ", ".join(sorted(outputs)) or "none"
        raise MalformedOutput(f"it has no output {missing[0]!r} (its outputs: {there})")
    return outputs["logits"], outputs["mask"]


def as_input(image: RGBImage) -> NDArray[np.float32]:
    """`image (H, W, 3)` in 0…255 as the networks take it: `(1, 3, H, W)` float32 in [0, 1]."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
    planes /= 255
    return planes[None]


def _array(name: str, value: object, dtype: str, shapes: list[Shape]) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise MalformedOutput(f"its {name} is a {type(value).__name__}, not an array")
    if value.dtype != dtype:
        raise MalformedOutput(f"its {name} is {value.dtype}, not {dtype}")
    if value.shape not in shapes:
        raise MalformedOutput(f"its {name} has the shape {value.shape}, not {shapes[0]}")
    return value
