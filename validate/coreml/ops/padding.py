"""Pad for convolution and pooling: MIL's pad types as amounts on each side."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.limits import require_size, require_work


@dataclass(frozen=True, slots=True)
class Padding:
    """Hold the elements added before and after each spatial dimension; negative ones cut."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def padded(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return the padded size."""
        return tuple(n + b + a for n, b, a in zip(size, self.before, self.after, strict=True))

    def pad(self, x: Tensor, value: float = 0.0) -> Tensor:
        """Pad the last dimensions of a tensor."""
        leading = x.dim() - len(self.before)
        shape = (*x.shape[:leading], *self.padded(tuple(x.shape[leading:])))
        require_size(shape, "its padded input")
        amounts: list[int] = []
        for before, after in zip(reversed(self.before), reversed(self.after), strict=True):
            amounts += [before, after]
        return functional.pad(x, amounts, value=value)

    def apply(self, x: Tensor, value: float = 0.0) -> tuple[Tensor, tuple[int, ...]]:
        """Pad where the two sides differ; equal sides are left to the operation, and returned."""
        if self.before == self.after:
            return x, self.before
        return self.pad(x, value), (0,) * len(self.before)


def convolution_padding(
    x: Tensor,
    weight: tuple[int, ...],
    strides: tuple[int, ...],
    pad_type: str,
    pad: tuple[int, ...] | None,
    dilations: tuple[int, ...],
) -> tuple[Padding, tuple[int, ...]]:
    """Return the padding of a convolution of `(N, C, *D)`, and the shape of its result.

    Raises:
        InputError: if the numbers do not fit, or the result is empty or too large.
    """
    size, kernel = tuple(x.shape[2:]), weight[2:]
    padding = resolve_padding(pad_type, pad, size, kernel, strides, dilations)
    padded = padding.padded(size)
    spatial = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded, kernel, strides, dilations, strict=True)
    )
    shape = (x.shape[0], weight[0], *spatial)
    if min(shape) < 1:
        raise InputError(f"Its result would have the shape {list(shape)}.")
    require_size(shape, "its result")
    require_size((*x.shape[:2], *padded), "its padded input")
    require_work(x.shape[0] * math.prod((*spatial, *weight)), "It")
    return padding, shape


def resolve_padding(
    pad_type: str,
    pad: tuple[int, ...] | None,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Padding:
    """Return the amounts for a pad type.

    "valid" is none, "custom" is `pad` as [before, after] for each dimension, "same" puts the odd
    element after and "same_lower" before.

    Raises:
        InputError: if the numbers do not fit the rank.
    """
    rank = len(size)
    if not len(kernel) == len(strides) == len(dilations) == rank:
        raise InputError(f"It has kernel, strides or dilations for another rank than {rank}.")
    if min((*kernel, *strides, *dilations)) < 1:
        raise InputError("It has a kernel, stride or dilation below 1.")
    if pad_type == "valid":
        return Padding((0,) * rank, (0,) * rank)
    if pad_type == "custom":
        if pad is None or len(pad) != 2 * rank or min(pad) < 0:
            raise InputError(f"It has a pad of {pad} for {rank} dimensions.")
        return Padding(tuple(pad[0::2]), tuple(pad[1::2]))
    if pad_type not in ("same", "same_lower"):
        raise InputError(f"It has the unknown pad type {pad_type!r}.")
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)
    ]
    less, more = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return Padding(less, more) if pad_type == "same" else Padding(more, less)
