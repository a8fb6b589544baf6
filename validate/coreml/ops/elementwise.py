"""Elementwise operations of one and two tensors, with broadcasting."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from validate.coreml.limits import require_size
from validate.coreml.registry import op


def _binary(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> None:
    def apply(x: Tensor, y: Tensor) -> Tensor:
        if x.shape != y.shape:
            require_size(np.broadcast_shapes(x.shape, y.shape), "its result")
        return function(x, y)

    op(name)(apply)


_binary("add", torch.add)
_binary("mul", torch.mul)
_binary("sub", torch.sub)
