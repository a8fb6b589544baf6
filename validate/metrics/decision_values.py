"""Tell what a mask is decided by, and how far that reaches: the scale of every error.

A mask does not depend on logits as they stand. Classes that exclude each other are compared with
each other, so that a number added to all of them changes nothing; one channel, or each of several
independent ones, is compared with zero. So errors are measured on

    exclusive classes       logits less their mean over the classes of each pixel
    independent channels    each channel's logits, on a scale of its own
    one channel             its logits

and a scale is the largest less the smallest of these values, zero included. It is PyTorch's, over
all pictures that are judged together: on a picture of one colour, all values may be near zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from validate.runtimes import Outputs

TINY = float(np.finfo(np.float32).tiny)
"""Stands for a range of zero, so that no figure is infinite."""


@dataclass(frozen=True)
class Scale:
    """Hold the smallest and the largest decision value of each scale, `(G,)`, zero included.

    G is the number of channels where they are independent, else one.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def range(self) -> NDArray[np.float64]:
        """Return the largest less the smallest value, `(G,)`, never zero."""
        return np.maximum(self.high - self.low, TINY)

    def __or__(self, other: "Scale") -> "Scale":
        return Scale(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Scale":
        """Return the scale of decision values `(G, N)`."""
        return cls(np.minimum(values.min(axis=1), 0), np.maximum(values.max(axis=1), 0))


def decision_values(outputs: Outputs) -> NDArray[np.float64]:
    """Return what the mask of `outputs` is decided by, `(G, N)`: a row for each scale."""
    return split(outputs)[0]


def split(outputs: Outputs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return decision values `(G, N)`, and what no mask depends on.

    That is the mean over exclusive classes, `(H, W)`, and zero for others. In float64, since a
    large number that all classes share leaves few digits of float32.
    """
    logits = outputs.logits.astype(np.float64)
    if outputs.independent:
        return logits.reshape(len(logits), -1), np.zeros(1)
    shared = logits.mean(axis=0) if len(logits) > 1 else np.zeros(1)
    logits -= shared
    return logits.reshape(1, -1), shared


def scale_of(references: Sequence[Outputs]) -> Scale:
    """Return the scale of several pictures, of one network; at least one."""
    return reduce(Scale.__or__, (Scale.of(decision_values(each)) for each in references))
