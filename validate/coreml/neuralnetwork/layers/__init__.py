"""Compute the layers of a NeuralNetwork, by family; importing this registers them all."""

from validate.coreml.neuralnetwork.layers import (
    activation,
    arranging,
    convolution,
    creation,
    elementwise,
    indexing,
    linear,
    lstm,
    normalization,
    pooling,
    recurrent,
    reduction,
    resizing,
    selection,
    shaping,
    slicing,
)

__all__ = [
    "activation",
    "arranging",
    "convolution",
    "creation",
    "elementwise",
    "indexing",
    "linear",
    "lstm",
    "normalization",
    "pooling",
    "recurrent",
    "reduction",
    "resizing",
    "selection",
    "shaping",
    "slicing",
]
