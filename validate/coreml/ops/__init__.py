"""The operations of MIL, iOS 15 to iOS 18, by family; importing this registers them all."""

from validate.coreml.ops import (
    activation,
    classification,
    compression,
    convolution,
    creation,
    elementwise,
    image,
    linear,
    normalization,
    pooling,
    reduction,
    resizing,
    selection,
    shape,
    slicing,
    transformation,
)

__all__ = [
    "activation",
    "classification",
    "compression",
    "convolution",
    "creation",
    "elementwise",
    "image",
    "linear",
    "normalization",
    "pooling",
    "reduction",
    "resizing",
    "selection",
    "shape",
    "slicing",
    "transformation",
]
