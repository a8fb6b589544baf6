"""Compute the layers of a NeuralNetwork, by family; importing this registers them all."""

from validate.coreml.neuralnetwork.layers import (  # noqa: F401 (each registers what it computes)
    activation,
    convolution,
    creation,
    elementwise,
    gather_scatter,
    linear,
    lstm,
    normalization,
    pooling,
    recurrent,
    reduction,
    resize,
    selection,
    shape,
    slicing,
    transformation,
)
