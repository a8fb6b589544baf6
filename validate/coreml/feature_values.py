"""Convert what a caller gives and gets (arrays, images, numbers) to tensors and back.

It follows coremltools' `MLModel.predict`: an image input takes a PIL image of the declared size and
colour; a multi-array takes anything that becomes a numpy array; outputs are numpy arrays, FP16 ones
widened to float32, PIL images or Python values.
"""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.features import ArrayFeature, Feature, ImageFeature, PlainFeature
from validate.coreml.limits import require_size

_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}

_NUMBERS = ("int64Type", "doubleType")


def to_tensor(feature: Feature, value: Any, declared: ir.ValueType) -> Tensor:
    """Convert a value given for an input to the tensor that the program takes.

    Args:
        feature: the input as described; images become `(1, C, H, W)`, 0 to 255.
        value: an array, an image, a number; None for an absent optional input.
        declared: the type of the program's input.

    Raises:
        InputError: if it is not what the description asks for.
    """
    if isinstance(feature, ImageFeature):
        tensor = _from_image(feature, value)
    elif isinstance(feature, PlainFeature) and feature.kind not in _NUMBERS:
        raise InputError(f"The input {feature.name!r} is a {feature.kind}, which is out of scope.")
    else:
        tensor = _from_array(feature, value)
    if not isinstance(declared, ir.TensorType) or declared.dtype.kind == "str":
        raise InputError(f"Its input {feature.name!r} is declared as {declared}, not as a tensor.")
    if not declared.admits(tuple(tensor.shape)):
        raise InputError(
            f"The input {feature.name!r} has the shape {list(tensor.shape)}, but the program "
            f"declares {declared}."
        )
    return tensor.to(dtypes.in_flight(declared.dtype))


def from_tensor(feature: Feature, value: Any, *, fixed: bool) -> Any:
    """Convert a computed value to what the description promises for an output.

    Args:
        feature: the output as described.
        value: what was computed.
        fixed: whether the described shape holds; where inputs are flexible, it is one of several.

    Raises:
        InputError: if the value has another shape than described.
    """
    if not isinstance(value, Tensor):
        return value
    if fixed and not isinstance(feature, PlainFeature):
        is_image = isinstance(feature, ImageFeature)
        shape = tuple(value.shape[-2:] if is_image else value.shape) or (1,)
        if not feature.admits(shape):
            raise InputError(
                f"Its output {feature.name!r} has the shape {list(value.shape)}, but is described "
                f"as {_allowed(feature)}."
            )
    if isinstance(feature, ImageFeature):
        return _to_image(feature, value)
    if isinstance(feature, ArrayFeature):
        dtype = "float32" if feature.dtype == "float16" else feature.dtype
        return np.array(value.detach().numpy(), dtype, order="C")
    return value.item() if value.numel() == 1 else value.detach().numpy().copy()


def _from_array(feature: Feature, value: Any) -> Tensor:
    if value is None and isinstance(feature, ArrayFeature):
        require_size(feature.shape, f"The input {feature.name!r}")
        return torch.full(feature.shape, feature.default)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"The input {feature.name!r} is no array: {error}.") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"The input {feature.name!r} must be numbers, not {array.dtype}.")
    if isinstance(feature, ArrayFeature) and not feature.admits(array.shape):
        raise InputError(
            f"The input {feature.name!r} has the shape {list(array.shape)}, but the model takes "
            f"{_allowed(feature)}."
        )
    return dtypes.as_tensor(array)


def _allowed(feature: ArrayFeature | ImageFeature) -> str:
    if feature.ranges:
        return f"[{', '.join(map(str, feature.ranges))}]"
    default = feature.size if isinstance(feature, ImageFeature) else feature.shape
    shapes = dict.fromkeys((default, *feature.enumerated))
    return " or ".join(str(list(shape)) for shape in shapes)


def _from_image(feature: ImageFeature, value: Any) -> Tensor:
    mode = _MODES[feature.color]
    if not isinstance(value, Image.Image):
        raise InputError(
            f"The input {feature.name!r} must be a PIL image, not a {type(value).__name__}."
        )
    if value.mode != mode and not (mode == "RGB" and value.mode == "RGBA"):
        raise InputError(
            f"The image {feature.name!r} has the mode {value.mode}; it must be {mode}."
        )
    size = (value.height, value.width)
    if not feature.admits(size):
        raise InputError(
            f"The image {feature.name!r} is {value.width}x{value.height}, but the model takes "
            f"{feature.size[1]}x{feature.size[0]}: resize it first."
        )
    array = np.asarray(value.convert(mode), np.float32)
    if mode != "RGB":
        return torch.from_numpy(array.reshape(1, 1, *size).copy())
    channels = array[..., ::-1] if feature.color == "BGR" else array
    return torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1)[None]))


def _to_image(feature: ImageFeature, value: Tensor) -> Image.Image:
    """Return `(1, C, H, W)` as an image, its values rounded and clamped to 0 to 255."""
    channels = 3 if _MODES[feature.color] == "RGB" else 1
    if value.dim() not in (3, 4) or value.shape[-3] != channels or value.numel() == 0:
        raise InputError(f"Its image {feature.name!r} has the shape {list(value.shape)}.")
    array = value.detach().reshape(value.shape[-3:]).numpy().transpose(1, 2, 0)
    if feature.color == "GRAYSCALE_FLOAT16":
        return Image.fromarray(np.ascontiguousarray(array[..., 0], np.float32))
    pixels = np.clip(np.rint(np.nan_to_num(array)), 0, 255).astype(np.uint8)
    if feature.color == "GRAYSCALE":
        return Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
    if feature.color == "BGR":
        pixels = pixels[..., ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))
