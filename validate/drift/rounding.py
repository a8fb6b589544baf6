"""Measure what rounding alone does to an operation: the limit of its own error.

An operation is given PyTorch's own inputs, so that nothing before it matters. What is left in a
healthy file is rounding: of the inputs and weights, each by a share of at most u (2⁻¹¹ for float16,
2⁻²⁴ for float32), of the result, and the order of its sums. What that does depends on the
operation: a sum of large terms that nearly cancel loses far more than any of its terms. It is
therefore measured: the operation runs once more with every input x moved to x + u|x| or x - u|x|,
at random with a fixed seed; how far its result moves is the size of the noise, for linear and other
operations alike. Rounding the weights of a linear operation moves it as rounding the inputs does.

    explained = MARGIN · (√2 · moved + u · |result|)      each an RMS over the value

Below 2⁻¹⁴ the steps of float16 no longer shrink, and u|x| is at least half of one. Weights that
small are not excused: what they lose is an error of the file.

A file departs where its own error is larger. MARGIN is for the spread between networks: of healthy
files the error was at most 0.3 of the limit (docs/drift.md has the figures).
"""

import torch
from torch import Tensor

from validate.drift.operations import FLOAT16

MARGIN = {"float16": 2.0, "float32": 64.0}
"""float32 sums run over thousands of terms whose partial sums are rounded too; and both sides
choose how to compute a convolution (Winograd's way loses a digit). float16 values are summed in
float32 and rounded once."""
SMALLEST = 2.0**-25
"""Half the distance between two float16 numbers near zero."""
LABELS = 0.002
"""Share of the elements of a mask that may differ although moved inputs did not change them."""
SEED = 11


class RandomRounding:
    """Move floats up or down by a rounding, seeded, so that runs repeat."""

    def __init__(self) -> None:
        self._generator = torch.Generator().manual_seed(SEED)

    def perturbed(self, value: object, roundoff: float) -> object:
        """Return a moved copy of a float tensor; anything else as it is."""
        if not isinstance(value, Tensor) or not value.dtype.is_floating_point:
            return value
        ups = torch.randint(0, 2, value.shape, generator=self._generator, dtype=torch.int8)
        return value + step(value, roundoff) * (2 * ups - 1)


def step(value: Tensor, roundoff: float) -> Tensor:
    """Return how far rounding moves each element at most: float16 has fixed steps below 2⁻¹⁴."""
    return (roundoff * value.abs()).clamp(min=SMALLEST if roundoff == FLOAT16 else 0.0)


def relative_rms(error: Tensor, reference: Tensor) -> float:
    """Return the RMS of `error` as a share of that of `reference`."""
    scale = float(reference.double().square().mean().sqrt())
    size = float(error.double().square().mean().sqrt())
    if scale:
        return size / scale
    return 0.0 if size == 0 else float("inf")


def difference(value: Tensor, reference: Tensor) -> float:
    """Return how far `value` is from `reference`: relative RMS, or the share of other labels."""
    if not reference.dtype.is_floating_point:
        return float((value.to(reference.dtype) != reference).double().mean())
    return relative_rms(value.to(reference.dtype) - reference, reference)


def explained(moved: float, reference: Tensor, roundoff: float) -> float:
    """Return the largest own error that rounding explains; `moved` is what it did to the result."""
    margin = MARGIN["float16" if roundoff == FLOAT16 else "float32"]
    if not reference.dtype.is_floating_point:
        return margin * moved + LABELS
    return margin * (2**0.5 * moved + relative_rms(step(reference, roundoff), reference))
