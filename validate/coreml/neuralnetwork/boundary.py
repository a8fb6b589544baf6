"""Lower the inputs and outputs of a network: preprocessing, and the shapes of classic networks.

A classic network (RANK5 shape mapping, up to iOS 12) computes on `(Seq, N, C, H, W)`. Its inputs
are declared as [C] or [C, H, W]; sequence and batch are 1, or stand in front of the given array.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.features import ArrayFeature, Feature, ImageFeature, Interface
from validate.coreml.graph import Step
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.registry import choose
from validate.coreml.neuralnetwork.scope import Scope
from validate.coreml.neuralnetwork.versions import layer_version

_Change = Callable[[Tensor], Tensor]


def check_network(network: Any, interface: Interface) -> None:
    """Check the inputs of a network, and how they are mapped to its layers.

    Raises:
        InputError: if an input is neither an image nor an array, there is no layer, or arrays of
            the classic rank 5 go into layers that came with exact shapes (iOS 13).
    """
    if not network.layers:
        raise InputError("It has no layer.")
    for feature in interface.inputs:
        if not isinstance(feature, ArrayFeature | ImageFeature):
            raise InputError(f"Its input {feature.name!r} is neither an image nor an array.")
    has_arrays = any(isinstance(each, ArrayFeature) for each in interface.inputs)
    for layer in network.layers if has_arrays and is_classic(network) else ():
        if layer_version(layer) >= 4:
            raise InputError(
                f"It maps arrays to rank 5, but its layer {layer.name!r} is of iOS 13 or newer."
            )


def enter(network: Any, interface: Interface, scope: Scope) -> None:
    """Declare the inputs of a network, each followed by its preprocessing and reshaping.

    Raises:
        InputError: if the preprocessing of an input is malformed.
    """
    preprocessing = _preprocessing(network, interface)
    classic_arrays = is_classic(network)
    classic_images = choose((True, False), network.imageInputShapeMapping, "image shape mapping")
    for feature in interface.inputs:
        value = scope.add_input(feature.name)
        changes = list(preprocessing.get(feature.name, ()))
        if isinstance(feature, ImageFeature):
            changes += [lambda x: x[None]] if classic_images else []
        elif classic_arrays:
            changes.append(_to_rank_5(feature))
        for change in changes:
            named = scope.write(feature.name)
            scope.add(Step("preprocessing", feature.name, (value,), (named,), change))
            value = named.name


def leaving(network: Any, interface: Interface, feature: Feature) -> _Change | None:
    """Return how an output is reshaped before it leaves the network, None where it is not."""
    shape = feature.shape if isinstance(feature, ArrayFeature) else ()
    if is_classic(network):
        return lambda value: _without_sequence(value, len(shape))
    images = any(isinstance(each, ImageFeature) for each in interface.inputs)
    return (lambda value: _without_batch(value, shape)) if images and shape else None


def _without_sequence(value: Tensor, declared_rank: int) -> Tensor:
    """Return `(Seq, N, C, H, W)` as `(C, H, W)` where sequence and batch are 1.

    An output that is declared as [C] loses its height and width of 1 too.
    """
    if value.dim() != 5:
        return value
    flat = declared_rank == 1 and value.shape[-2:].numel() == 1
    value = value[..., 0, 0] if flat else value
    return value[0, 0] if value.shape[:2].numel() == 1 else value


def _without_batch(value: Tensor, declared: tuple[int, ...]) -> Tensor:
    """Return `(1, C, H, W)` as `(C, H, W)` where that is what is declared.

    An image has a batch axis even where the network was made for an array without one.
    """
    return value[0] if tuple(value.shape) == (1, *declared) else value


def is_classic(network: Any) -> bool:
    """Tell whether arrays become `(Seq, N, C, H, W)`."""
    classic: bool = choose((True, False), network.arrayInputShapeMapping, "array shape mapping")
    return classic


def _to_rank_5(feature: Feature) -> _Change:
    rank = len(feature.shape) if isinstance(feature, ArrayFeature) else 1

    def change(x: Tensor) -> Tensor:
        x = x.reshape(1) if x.dim() == 0 else x
        leading = x.shape[:-rank] if rank < x.dim() else ()
        if rank not in (1, 3) or len(leading) not in (0, 2):
            if x.dim() > 5:
                raise InputError(f"It takes up to 5 dimensions, not the shape {list(x.shape)}.")
            return x.reshape((1,) * (5 - x.dim()) + tuple(x.shape))
        x = x.reshape(*(leading or (1, 1)), *x.shape[len(leading) :])
        return x[..., None, None] if rank == 1 else x

    return change


def _preprocessing(network: Any, interface: Interface) -> dict[str, list[_Change]]:
    images = {each.name: each for each in interface.inputs if isinstance(each, ImageFeature)}
    changes: dict[str, list[_Change]] = {}
    for message in network.preprocessing:
        name = message.featureName or next(iter(images), "")
        if name not in images:
            raise InputError(f"Its preprocessing is for {name!r}, which is no image input.")
        kind = message.WhichOneof("preprocessor")
        if kind == "scaler":
            changes.setdefault(name, []).append(_scaler(message.scaler, images[name].color))
        elif kind == "meanImage":
            changes.setdefault(name, []).append(_mean_image(message.meanImage, images[name]))
    return changes


def _scaler(message: Any, color: str) -> _Change:
    """Return x times a scale, plus a bias for each channel in the order of the image's colours."""
    red, green, blue = message.redBias, message.greenBias, message.blueBias
    biases = {"RGB": (red, green, blue), "BGR": (blue, green, red)}.get(color, (message.grayBias,))
    bias = torch.tensor(biases).reshape(-1, 1, 1)
    scale = message.channelScale
    return lambda x: x * scale + bias if any(biases) else x * scale


def _mean_image(message: Any, feature: ImageFeature) -> _Change:
    channels = 3 if feature.color in ("RGB", "BGR") else 1
    values = weights.floats(message)
    shape = (channels, *feature.size)
    if values.size != channels * feature.size[0] * feature.size[1]:
        raise InputError(f"Its mean image has {values.size} values, its image {list(shape)}.")
    mean = torch.from_numpy(values.reshape(shape).copy())
    return lambda x: x - mean
