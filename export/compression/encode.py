"""Encode a weight in few bits: indices into a table, or int8 with a scale for each channel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.compression.kmeans import palette
from models.errors import InputError

LARGEST_INT8 = 127


@dataclass(frozen=True)
class TableWeight:
    """Hold a weight as `indices` of `bits` each, in the weight's shape.

    A number is `table[index]`.
    """

    indices: NDArray[np.uint8]
    bits: int
    table: NDArray[Any]

    def packed(self) -> NDArray[np.uint8]:
        """Return the indices without gaps, the first in the lowest bits of the first byte."""
        single = np.unpackbits(self.indices.reshape(-1, 1), axis=1, bitorder="little")
        return np.packbits(single[:, : self.bits].reshape(-1), bitorder="little")


@dataclass(frozen=True)
class LinearWeight:
    """Hold a weight as int8 `indices` in the weight's shape.

    A number is `scale · index`; the scales lie along the axis of the output channels, and have a
    size of 1 on all others.
    """

    indices: NDArray[np.int8]
    scale: NDArray[Any]


def in_table(weight: NDArray[Any], bits: int) -> TableWeight:
    """Encode a float16 or float32 `weight`. Raises InputError where a number is not finite."""
    _require_finite(weight)
    table, indices = palette(weight, 1 << bits)
    return TableWeight(indices, bits, table)


def as_int8(weight: NDArray[Any], axis: int) -> LinearWeight:
    """Encode a float16 or float32 `weight`, whose output channels lie along `axis`.

    Raises InputError where a number is not finite.
    """
    _require_finite(weight)
    others = tuple(n for n in range(weight.ndim) if n != axis)
    exact = weight.astype(np.float32)
    scale = (np.abs(exact).max(axis=others, keepdims=True) / LARGEST_INT8).astype(weight.dtype)
    scale = np.maximum(scale, np.finfo(weight.dtype).smallest_subnormal)
    steps = np.rint(exact / scale.astype(np.float32))
    return LinearWeight(np.clip(steps, -LARGEST_INT8, LARGEST_INT8).astype(np.int8), scale)


def _require_finite(weight: NDArray[Any]) -> None:
    if not np.isfinite(weight).all():
        raise InputError("A weight holds NaN or infinite numbers, so that it cannot be compressed.")
