"""Round to FP16, kept in float32: to nearest, ties to even, beyond 65,504 to infinity."""

import torch
from torch import Tensor


def round_fp16(values: Tensor) -> Tensor:
    """Return new float32 values that FP16 represents."""
    return values.to(torch.float16).to(torch.float32)


def round_fp16_(values: Tensor) -> Tensor:
    """Round in place where the layout allows it: the memory is in the cache and stays mapped."""
    if values.is_contiguous() or values.is_contiguous(memory_format=torch.channels_last):
        return values.copy_(values.to(torch.float16))
    return round_fp16(values)
