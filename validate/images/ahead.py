"""Read pictures in a thread of their own, one ahead of the work on them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(read: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, Future[R]]]:
    """Yield each of `items` with what `read` makes of it, while it is made of the next."""
    with ThreadPoolExecutor(1, "reader") as thread:
        before: tuple[T, Future[R]] | None = None
        for item in items:
            following = item, thread.submit(read, item)
            if before is not None:
                yield before
            before = following
        if before is not None:
            yield before
