"""Activations: the elementwise functions of one tensor that end a layer."""

import torch
from torch import Tensor

from validate.coreml.registry import op


@op("relu", exact=True)
def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return torch.relu(x)


@op("sigmoid")
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return torch.sigmoid(x)
