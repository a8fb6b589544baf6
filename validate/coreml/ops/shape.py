"""Operations that arrange values without computing new ones."""

import torch
from torch import Tensor

from validate.coreml.registry import Tensors, op


@op("concat", exact=True)
def concat(values: Tensors, axis: int, interleave: bool = False) -> Tensor:
    """Join tensors along an axis; `interleave` takes their slices in turn."""
    if interleave:
        stacked = torch.stack(values, axis % values[0].dim() + 1)
        return stacked.flatten(axis % values[0].dim(), axis % values[0].dim() + 1)
    return torch.cat(values, axis)


@op("cast")
def cast(x: Tensor, dtype: str) -> Tensor:
    """Convert between types."""
    return x if dtype in ("fp16", "fp32") else x.to(torch.int32)
