"""Networks that compute what another one does, with values that float16 does not hold."""

import copy

import torch
from torch import nn


def rescaled(network: nn.Module, factor: float, block: int = 2) -> nn.Module:
    """The same function: a decoder block's first layer times `factor`, its second divided by it.

    Between the two is a ReLU, which scales with what it is given. The convolution itself is left
    alone: its batch norm does the scaling, and is folded into it in a Core ML file.
    """
    network = copy.deepcopy(network)
    layer = network.decoder.blocks[block]
    with torch.no_grad():
        layer.conv1[1].weight.mul_(factor)
        layer.conv1[1].bias.mul_(factor)
        layer.conv2[0].weight.div_(factor)
    return network
