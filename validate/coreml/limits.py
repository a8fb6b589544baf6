"""Stated limits of the reference runtime, so that no file makes it allocate or run without bound.

A tensor that one operation would produce is measured before it is allocated: operations that can
make a large result out of small inputs (broadcasting, tiling, padding, filling, resizing, matrix
products, convolutions) call `require_size` first.
"""

import math
from collections.abc import Iterable

from models.errors import InputError

MAX_ELEMENTS = 2**29
"""Largest tensor, in elements: 2 GiB of float32."""

MAX_LIVE_ELEMENTS = 2**31
"""Most elements that may be alive at one time during one prediction."""

MAX_ITERATIONS = 200_000
"""Most iterations that all loops of one prediction may take together."""

MAX_RANK = 64
"""Deepest tensor that can be computed: the limit of the tensor library underneath."""

MAX_NESTING = 32
"""Deepest nesting of blocks (cond, while_loop)."""


def require_size(shape: Iterable[int], what: str) -> None:
    """Refuse a tensor larger than MAX_ELEMENTS, or with a negative dimension, before it exists.

    Raises:
        InputError: if `shape` cannot be computed; `what` begins the sentence.
    """
    shape = tuple(shape)
    if any(size < 0 for size in shape):
        raise InputError(f"{what} would have the shape {list(shape)}, with a negative dimension.")
    if math.prod(shape) > MAX_ELEMENTS:
        raise InputError(
            f"{what} would have the shape {list(shape)}, more than the {MAX_ELEMENTS} elements "
            "that the reference runtime computes."
        )
