"""The operations of MIL, iOS 15 to iOS 18, by family; importing this registers them all."""

from validate.coreml.ops import (
    activation,
    convolution,
    elementwise,
    pooling,
    resizing,
    shape,
)

__all__ = [
    "activation",
    "convolution",
    "elementwise",
    "pooling",
    "resizing",
    "shape",
]
