# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Convolve two dimensions on oneDNN, with the weight packed once for the processor.

Packing costs a pass over the weight, so it waits for the first image and replaces the plain weight.
Images stay in channels-last order between such convolutions; their values do not depend on it.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.ops.padding import convolution_padding
from validate.coreml.registry import Ints

_Geometry = tuple[list[int], list[int], list[int], int]
"""Padding, strides, dilations, groups."""


def is_available() -> bool:
    """Tell whether this build of torch has oneDNN and its packed convolution."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name)
        for name in ("_convolution_pointwise", "_reorder_convolution_weight")
    )


class PackedWeight:
    """Hold a weight `(C_out, C / groups, H, W)`, packed when it is first used."""

    def __init__(self, weight: Tensor) -> None:
        self.shape = tuple(weight.shape)
        self._tensor = weight
        self._is_packed = False

    def tensor(self, x: Tensor, geometry: _Geometry) -> Tensor:
        """Return the packed weight; it is packed for images like the first x, and fits all."""
        if not self._is_packed:
            pack = torch.ops.mkldnn._reorder_convolution_weight
            self._tensor = pack(self._tensor, *geometry, list(x.shape))
            self._is_packed = True
        return self._tensor


@dataclass(frozen=True, slots=True)
class PackedConvolution:
    """Convolve `(N, C, H, W)` with constants, and compute what is fused with that.

    Attributes:
        adds: whether a second input is added to the result.
        relu: whether max(…, 0) is taken last.
    """

    weight: PackedWeight
    bias: Tensor | None
    strides: Ints
    pad_type: str
    pad: Ints | None
    dilations: Ints
    groups: int
    adds: bool = False
    relu: bool = False

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Convolve, then add `other` and take max(…, 0) as far as they are fused."""
        x, geometry, shape = self._prepare(x)
        weight = self.weight.tensor(x, geometry)
        x = x.contiguous(memory_format=torch.channels_last)
        if other is None:
            after = "relu" if self.relu else "none"
            return _pointwise(x, weight, self.bias, *geometry, after, [], "")
        if tuple(other.shape) != shape:
            require_size(torch.broadcast_shapes(shape, other.shape), "Its result")
            result = _pointwise(x, weight, self.bias, *geometry, "none", [], "") + other
            return result.relu_() if self.relu else result
        other = other.contiguous(memory_format=torch.channels_last)
        binary = torch.ops.mkldnn._convolution_pointwise.binary
        last = "relu" if self.relu else None
        joined: Tensor = binary(x, other, weight, self.bias, *geometry, "add", 1.0, last, [], None)
        return joined

    def _prepare(self, x: Tensor) -> tuple[Tensor, _Geometry, tuple[int, ...]]:
        """Check an image, pad it where the sides differ, and measure the result."""
        channels = self.weight.shape[1] * self.groups
        if x.dim() != 4 or x.shape[1] != channels or not x.is_floating_point():
            raise InputError(f"It takes {channels} channels; its input is {list(x.shape)}.")
        padding, shape = convolution_padding(
            x, self.weight.shape, self.strides, self.pad_type, self.pad, self.dilations
        )
        x, symmetric = padding.apply(x)
        geometry = (list(symmetric), list(self.strides), list(self.dilations), self.groups)
        return x, geometry, shape


def _pointwise(*arguments: Any) -> Tensor:
    result: Tensor = torch.ops.mkldnn._convolution_pointwise.default(*arguments)
    return result


def pack(
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Ints | None = None,
    pad_type: str = "valid",
    pad: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> PackedConvolution | None:
    """Return the packed form of a `conv` with these constants, None where there is none.

    What it refuses to pack, the plain operation computes, or refuses with a reason.
    """
    outputs = weight.shape[0] if weight.dim() else 0
    fits = (
        is_available()
        and weight.dim() == 4
        and weight.numel() > 0
        and weight.is_floating_point()
        and groups > 0
        and outputs % groups == 0
        and (bias is None or (tuple(bias.shape) == (outputs,) and bias.is_floating_point()))
        and len(strides or (1, 1)) == len(dilations or (1, 1)) == 2
    )
    if not fits:
        return None
    geometry = (strides or (1, 1), pad_type, pad, dilations or (1, 1), groups)
    return PackedConvolution(PackedWeight(weight), bias, *geometry)
