"""State the limits of the runtime, so that no file makes it allocate or run without bound.

A tensor that one operation would produce is measured before it is allocated: operations that can
make a large result out of small inputs (broadcasting, tiling, padding, filling, resizing, matrix
products, convolutions) call `require_size` first.
"""

import math
from collections.abc import Iterable, Sequence

from models.common.text import listed
from models.errors import InputError

MAX_ELEMENTS = 2**28
"""Largest tensor, in elements: 1 GiB of float32."""

MAX_LIVE_ELEMENTS = 2**30
"""Most elements of a model's constants, and of values alive at one time in a prediction."""

MAX_COMPUTED_ELEMENTS = 2**36
"""Most elements that all operations of one prediction may compute together."""

MAX_PRODUCTS = 2**38
"""Most multiplications of one operation (convolution, matrix product, pooling)."""

MAX_ITERATIONS = 100_000
"""Most iterations that all loops of one prediction may take together."""

MAX_RANK = 64
"""Deepest tensor that can be computed: the limit of the tensor library underneath."""

MAX_NESTING = 32
"""Deepest nesting of blocks (cond, while_loop)."""


class UnsupportedOperation(InputError):
    """Say that a model needs what Core ML has and the reference runtime does not execute.

    That is a limit of the runtime and says nothing against the file; an operation that Core ML does
    not have either is an InputError like any other contradiction in a file.
    """


def require_executable(subject: str, absent: Sequence[str], unsupported: Sequence[str]) -> None:
    """Refuse a model with operations or layers that cannot be executed.

    Args:
        subject: begins the sentence: "Its function 'main' has operations".
        absent: those that Core ML does not have.
        unsupported: those that Core ML has and the runtime does not execute.

    Raises:
        InputError: if any are absent.
        UnsupportedOperation: if all that are named are merely unsupported.
    """
    if absent:
        raise InputError(f"{subject} that Core ML does not have: {listed(absent, 10)}.")
    if unsupported:
        raise UnsupportedOperation(
            f"{subject} that the reference runtime does not execute: {listed(unsupported, 10)}."
        )


def require_work(products: int, what: str) -> None:
    """Refuse an operation of more than MAX_PRODUCTS multiplications before it begins.

    Raises:
        InputError: if it is that large; `what` begins the sentence.
    """
    if products > MAX_PRODUCTS:
        raise InputError(
            f"{what} would take {products} multiplications, more than the {MAX_PRODUCTS} of one "
            "operation that the reference runtime computes."
        )


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
