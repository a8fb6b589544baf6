"""Compute the layers of a NeuralNetwork, by family; importing this registers them all."""

from validate.coreml.neuralnetwork.layers import (  # noqa: F401 (each registers what it computes)
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
