"""Define what every runtime takes and gives, and the checks that their outputs share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.errors import InputError
from models.labels import mask_values
from models.specification import Specification
from validate.images.reading import Picture

Shape = tuple[int, ...]
SmallMask = NDArray[np.uint8 | np.uint16]
"""A mask in one byte for each label, or two where there are more than 256 labels."""


@dataclass(frozen=True)
class Outputs:
    """Hold what a runtime computed for one picture: float32 `logits (C, H, W)`, an int32 mask.

    The mask is `(H, W)`, or `(C, H, W)` of 0 and 1 where the channels are independent.
    """

    logits: NDArray[np.float32]
    mask: NDArray[np.int32]

    @property
    def independent(self) -> bool:
        """Tell whether each channel was decided by itself, and has a mask of its own."""
        return self.mask.ndim == 3

    @property
    def small_mask(self) -> SmallMask:
        """Return the mask in as few bytes as its labels need."""
        return self.mask.astype(small_type(len(self.logits)))


def small_type(classes: int) -> type[np.uint8 | np.uint16]:
    """Return the type that holds every label of a network with `classes` channels."""
    return np.uint8 if classes <= 256 else np.uint16


class Runtime(Protocol):
    """Run a loaded artifact."""

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`.

        Raises MalformedOutput when the artifact gives something else than a bundle promises.
        """
        ...


@runtime_checkable
class BatchRuntime(Runtime, Protocol):
    """An artifact whose format can take several pictures at once."""

    def run_batch(self, images: Sequence[Picture]) -> list[Outputs]:
        """Compute logits and mask of `images`, each `(H, W, C)`, as one batch.

        Raises MalformedOutput as `run` does.
        """
        ...

    def state(self) -> str | None:
        """Return what makes results depend on earlier calls or on chance; None without such."""
        ...


@dataclass(frozen=True)
class NotRun:
    """Name a runtime that does not exist here, and why."""

    runtime: str
    reason: str


class MalformedOutput(Exception):
    """Say in which way an artifact's outputs are not what a bundle promises."""


class RefusedFile(InputError):
    """Refuse to run a file, or to run it on: no verdict on what it computes."""


class OutOfScope(Exception):
    """Say that a runtime lacks what an artifact needs, which says nothing against the artifact."""


def checked_outputs(
    logits: object, mask: object, specification: Specification, image: Picture
) -> Outputs:
    """Return the outputs of one picture: `logits (1, C, H, W)` and `mask (H, W)` or `(1, H, W)`.

    Independent channels have a mask `(C, H, W)` or `(1, C, H, W)`. H and W are the picture's own,
    less the margin that a network of unpadded convolutions loses.

    Raises MalformedOutput for another type, shape, or a mask value that is no class; values
    that are not finite are left to the comparison, which knows the reference's.
    """
    classes = specification.classes
    width, height = specification.output_size(image.shape[1], image.shape[0])
    good = _array("logits", logits, "float32", [(1, classes, height, width)])
    single = specification.mask_shape(image.shape[1], image.shape[0])
    labels = _array("mask", mask, "int32", [single, (1, *single)]).reshape(single)
    values = 2 if specification.independent else mask_values(classes)
    if labels.min() < 0 or labels.max() >= values:
        worst = labels.max() if labels.max() >= values else labels.min()
        what = "neither 0 nor 1" if specification.independent else f"none of the {classes} classes"
        raise MalformedOutput(f"its mask holds {worst}, which is {what}")
    return Outputs(good[0], labels)


def checked_batch(
    logits: object, mask: object, specification: Specification, images: Sequence[Picture]
) -> list[Outputs]:
    """Return the outputs of each of `images`, made of `logits (N, C, H, W)` and the batch's mask.

    Raises MalformedOutput as `checked_outputs` does, and where N is another number.
    """
    if len(images) == 1:
        return [checked_outputs(logits, mask, specification, images[0])]
    parts = []
    for name, value in (("logits", logits), ("mask", mask)):
        if not isinstance(value, np.ndarray) or value.shape[:1] != (len(images),):
            shape = getattr(value, "shape", None)
            raise MalformedOutput(f"its {name} of {len(images)} pictures has the shape {shape}")
        parts.append([value[index : index + 1] for index in range(len(images))])
    rows = zip(*parts, images, strict=True)
    return [checked_outputs(first, second, specification, image) for first, second, image in rows]


def named_outputs(outputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return `logits` and `mask` among an artifact's outputs; MalformedOutput without them."""
    missing = [name for name in ("logits", "mask") if name not in outputs]
    if missing:
        there = ", ".join(sorted(outputs)) or "none"
        raise MalformedOutput(f"it has no output {missing[0]!r} (its outputs: {there})")
    return outputs["logits"], outputs["mask"]


def as_input(image: Picture) -> NDArray[np.float32]:
    """Return `image (H, W, C)` as the networks take it: `(1, C, H, W)` float32 in [0, 1]."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
    if image.dtype == np.uint8:
        planes /= 255
    return planes[None]


def as_batch(images: Sequence[Picture]) -> NDArray[np.float32]:
    """Return `images`, each `(H, W, C)`, as the networks take them: `(N, C, H, W)` in [0, 1]."""
    return np.concatenate([as_input(image) for image in images])


def as_feature(image: Picture) -> Image.Image | NDArray[np.float32]:
    """Return `image (H, W, C)` as Core ML takes it: an image if grey or RGB, else an array."""
    if image.shape[2] == 1:
        return Image.fromarray(image[:, :, 0])
    return Image.fromarray(image) if image.shape[2] == 3 else as_input(image)


def _array(name: str, value: object, dtype: str, shapes: list[Shape]) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise MalformedOutput(f"its {name} is a {type(value).__name__}, not an array")
    if value.dtype != dtype:
        raise MalformedOutput(f"its {name} is {value.dtype}, not {dtype}")
    if value.shape not in shapes:
        raise MalformedOutput(f"its {name} has the shape {value.shape}, not {shapes[0]}")
    return value
