"""Read what the decoders of smp's architectures tell in the same way, by keys and shapes."""

import re

from models.errors import InputError
from models.specification import Choices, Shapes

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "nearest-exact")
UNSEEN = "it is smp's default, and shapes cannot tell it"


def is_marked(shapes: Shapes, pattern: str) -> bool:
    """Return whether there is an encoder, and some key that starts with `pattern`."""
    marked = any(re.match(pattern, key) for key in shapes)
    return marked and any(key.startswith("encoder.") for key in shapes)


def count(shapes: Shapes, pattern: str) -> int:
    """Count the different starts of keys that match `pattern`."""
    matches = (re.match(pattern, key) for key in shapes)
    return len({match[0] for match in matches if match})


def require_shape(shapes: Shapes, key: str, dimensions: int, architecture: str) -> tuple[int, ...]:
    """Return the shape of `key`, without which the architecture has no meaning.

    Raises InputError where it is missing or has not so many `dimensions`.
    """
    if len(shape := shapes.get(key, ())) != dimensions or 0 in shape:
        there = "is missing" if key not in shapes else f"has the shape {shape}"
        raise InputError(
            f"The keys are those of smp's {architecture}, but {key} {there}: its shape, of "
            f"{dimensions} sizes, tells how the decoder was built."
        )
    return shape


def norm(shapes: Shapes, block: str) -> bool | str | dict[str, object]:
    """Return the decoder's norm: smp gives a convolution a bias exactly where it has none.

    >>> norm({"a.0.weight": (8, 3, 3, 3), "a.1.running_mean": (8,)}, "a.")
    'batchnorm'
    """
    if block + "1.running_mean" in shapes:
        return "batchnorm"
    if block + "0.bias" in shapes:
        return False
    # smp cannot build its decoder with an instance norm that has no weight and bias.
    return {"type": "instancenorm", "affine": True}


def attention(shapes: Shapes) -> str | None:
    """Return the attention of the decoder's blocks."""
    return "scse" if any(".attention1.attention.cSE." in key for key in shapes) else None


def interpolation(choices: Choices, default: str = "nearest") -> tuple[str, dict[str, str]]:
    """Return the decoder's up-sampling, and why it was assumed.

    Raises InputError for one that smp does not have.
    """
    if choices.interpolation is None:
        reason = "it is smp's default, shapes cannot tell it, and INTERPOLATION= settles it"
        return default, {"decoder_interpolation": reason}
    if choices.interpolation not in INTERPOLATIONS:
        raise InputError(
            f"INTERPOLATION={choices.interpolation} is none of smp's: {', '.join(INTERPOLATIONS)}."
        )
    return choices.interpolation, {}


def below(shapes: Shapes, prefix: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes below `prefix`, under their names there."""
    return {k.removeprefix(prefix): s for k, s in shapes.items() if k.startswith(prefix)}
