"""Apply the rule of the classic layers: every dimension before the last few counts as batch."""

import math
from collections.abc import Callable

from torch import Tensor

from models.errors import InputError


def over_batch(x: Tensor, function: Callable[[Tensor], Tensor], rank: int = 3) -> Tensor:
    """Apply a function of `(N, …)` with `rank` dimensions after N, whatever comes before them.

    >>> import torch
    >>> over_batch(torch.zeros(2, 5, 3, 8, 8), torch.nn.Conv2d(3, 4, 3)).shape
    torch.Size([2, 5, 4, 6, 6])

    Raises:
        InputError: if the input has fewer dimensions than `rank`.
    """
    if x.dim() == rank + 1:
        return function(x)
    require_rank(x, rank)
    result = function(x.reshape(math.prod(x.shape[:-rank]), *x.shape[-rank:]))
    return result.reshape(*x.shape[:-rank], *result.shape[1:])


def require_rank(x: Tensor, rank: int) -> None:
    """Refuse a tensor with fewer dimensions.

    Raises:
        InputError: if it has fewer.
    """
    if x.dim() < rank:
        raise InputError(f"It takes at least {rank} dimensions, not the shape {list(x.shape)}.")
