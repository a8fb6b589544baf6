"""Convolve in 2 and 3 dimensions, and transposed.

They read the padding here and leave the computation to the operations of ML programs.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.batch_axes import over_batch
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer, pair
from validate.coreml.ops.convolution import conv, conv_transpose
from validate.coreml.ops.elementwise import require_broadcast
from validate.coreml.ops.packed import PackedConvolution, pack


@dataclass(frozen=True, slots=True)
class _Geometry:
    strides: tuple[int, ...]
    pad_type: str
    pad: tuple[int, ...] | None
    dilations: tuple[int, ...]
    groups: int
    output_shape: tuple[int, ...] | None = None


@layer("convolution", inputs=(1, 3))
def convolution(params: Any, arity: Arity) -> Compute:
    """Convolve `(…, C, H, W)`; the weight, and a bias, may be inputs instead of parameters."""
    pad_type, pad = spatial_padding(params, "ConvolutionPaddingType")
    geometry = _Geometry(
        pair(params.stride, 1, "strides"),
        pad_type,
        pad,
        pair(params.dilationFactor, 1, "dilation"),
        params.nGroups or 1,
        tuple(params.outputShape) or None,
    )
    if params.isDeconvolution:
        weight, bias = _deconvolution_weights(params, geometry.groups)
        return _transposed(geometry, weight, bias)
    if arity.inputs > 1:
        return _dynamic(geometry)
    kernel = pair(params.kernelSize, 3, "kernel")
    shape = (params.outputChannels, params.kernelChannels, *kernel)
    return _static(geometry, weights.read(params.weights, shape, "weights"), _bias(params))


@layer("convolution3d")
def convolution_3d(params: Any, _: Arity) -> Compute:
    """Convolve `(…, C, D, H, W)`."""
    groups = params.nGroups or 1
    geometry = _Geometry(
        _three(params, "stride", 1),
        *padding_3d(params),
        _three(params, "dilation", 1),
        groups,
        tuple(params.outputShape) or None,
    )
    kernel = _three(params, "kernel", 3)
    if min(params.inputChannels, params.outputChannels, groups) < 1:
        raise InputError("It has a number of channels or groups below 1.")
    if params.isDeconvolution:
        shape = (params.inputChannels, params.outputChannels // groups, *kernel)
        weight = weights.read(params.weights, shape, "weights", channel_axis=1)
        return _transposed(geometry, weight, _bias(params))
    shape = (params.outputChannels, params.inputChannels // groups, *kernel)
    return _static(geometry, weights.read(params.weights, shape, "weights"), _bias(params))


def spatial_padding(params: Any, field: str) -> tuple[str, tuple[int, ...] | None]:
    """Return the pad type and amounts [top, bottom, left, right] of a 2-dimensional layer.

    Raises:
        InputError: if the amounts are not those of two dimensions.
    """
    if params.WhichOneof(field) == "same":
        modes = ("same", "same_lower")
        return choose(modes, params.same.asymmetryMode, "asymmetry mode"), None
    return "custom", borders(params.valid.paddingAmounts)


def borders(message: Any) -> tuple[int, int, int, int]:
    """Return the amounts [top, bottom, left, right] of a `BorderAmounts` message.

    Raises:
        InputError: if there are others than those of height and width.
    """
    amounts = [(each.startEdgeSize, each.endEdgeSize) for each in message.borderAmounts]
    if not amounts:
        return 0, 0, 0, 0
    if len(amounts) != 2:
        raise InputError(f"It has border amounts for {len(amounts)} dimensions instead of 2.")
    return *amounts[0], *amounts[1]


def padding_3d(params: Any) -> tuple[str, tuple[int, ...] | None]:
    """Return the pad type and amounts [before, after, …] of a 3-dimensional layer."""
    pad_type = choose(("custom", "valid", "same"), params.paddingType, "padding type")
    sides = ("Front", "Back", "Top", "Bottom", "Left", "Right")
    return pad_type, tuple(getattr(params, f"customPadding{side}") for side in sides)


def _three(params: Any, name: str, default: int) -> tuple[int, ...]:
    return tuple(getattr(params, name + axis) or default for axis in ("Depth", "Height", "Width"))


def _bias(params: Any) -> Tensor | None:
    if not params.hasBias:
        return None
    return weights.read(params.bias, (params.outputChannels,), "bias")


def _deconvolution_weights(params: Any, groups: int) -> tuple[Tensor, Tensor | None]:
    kernel = pair(params.kernelSize, 3, "kernel")
    shape = (params.kernelChannels, params.outputChannels // groups, *kernel)
    return weights.read(params.weights, shape, "weights", channel_axis=1), _bias(params)


@dataclass(frozen=True, slots=True)
class _PackedConvolution(PackedConvolution):
    """Convolve by a packed weight, also images with other dimensions than one before them."""

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        if x.dim() == 4 and (other is None or other.dim() == 4):
            return PackedConvolution.__call__(self, x, other)
        alone = replace(self, adds=False, relu=self.relu and other is None)
        result = over_batch(x, lambda images: PackedConvolution.__call__(alone, images))
        if other is None:
            return result
        require_broadcast(result, other)
        result = result + other
        return result.relu_() if self.relu else result


def _static(g: _Geometry, weight: Tensor, bias: Tensor | None) -> Compute:
    packed = pack(weight, bias, g.strides, g.pad_type, g.pad, g.dilations, g.groups)
    if packed is not None:
        names = (each.name for each in fields(packed))
        return _PackedConvolution(**{name: getattr(packed, name) for name in names})
    return _batched(lambda x: _convolve(x, weight, bias, g), weight.dim() - 1)


def _dynamic(geometry: _Geometry) -> Compute:
    def apply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        flat = None if bias is None else bias.reshape(-1)
        return over_batch(x, lambda images: _convolve(images, weight, flat, geometry))

    return apply


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, g: _Geometry) -> Tensor:
    return conv(x, weight, bias, g.strides, g.pad_type, g.pad, g.dilations, g.groups)


def _transposed(g: _Geometry, weight: Tensor, bias: Tensor | None) -> Compute:
    rank = weight.dim() - 2
    pad_type = "same" if g.pad_type == "same_lower" else g.pad_type

    def apply(x: Tensor) -> Tensor:
        return conv_transpose(
            x, weight, bias, g.pad, g.output_shape, pad_type, g.strides, g.dilations, g.groups
        )

    return _batched(apply, rank + 1)


def _batched(function: Callable[[Tensor], Tensor], rank: int) -> Compute:
    return lambda x: over_batch(x, function, rank)
