"""Search the fewest operations that must stay in float32 for a network to keep its meaning.

Three kinds of operations:

    beyond the range    values or weights that exceed 65,504, or come within a factor of two of it,
                        and whatever takes such values: the samples do not show what another
                        photo does
    by running          the rest starts in float32 and goes back to float16, many operations at
                        once and then one by one, as long as the logits stay within the tolerance
    between them        whose values lose their signal, and which take values of the others or
                        give values to them: a phone may take subnormal numbers for zero, which
                        no run here shows, and in float16 they would cost two casts

A mixture of the two programs (`validate.precision.mixed`) is run, which takes as long as a picture;
nothing is converted. What is found by running is minimal in that none of those operations can go
back alone (delta debugging: A. Zeller, R. Hildebrandt, 2002).
"""

from collections.abc import Callable, Collection, Sequence

from export.to_coreml import LOGITS
from validate.coreml import Model
from validate.precision.mixed import rounded_operations
from validate.results.ranges import Ranges

Passes = Callable[[frozenset[str]], bool]
"""Tells whether the network with these operations in float32 computes what it should."""


def smallest_pins(
    half: Model, full: Model, ranges: Ranges, passes: Passes
) -> frozenset[str] | None:
    """Return what of `full` stays in float32; None where even all of its operations do not help.

    `half` and `full` are the FP16 and the float32 program of one network, `ranges` are those of
    `full`.
    """
    movable = rounded_operations(half, full)

    def passes_as_written(some: frozenset[str]) -> bool:
        return passes(some | _deciding(full, some).intersection(movable))

    found = _found(movable, full, ranges, passes_as_written)
    if found is None:
        return None
    small = {each.name for each in ranges.operations if each.values.loses}
    kept = found | _connected(full, found, small.intersection(movable))
    return kept | _deciding(full, kept).intersection(movable)


def _found(
    movable: Sequence[str], full: Model, ranges: Ranges, passes: Passes
) -> frozenset[str] | None:
    """Return the operations beyond the range, and the fewest more with which it passes."""
    beyond = _beyond(full, ranges) & frozenset(movable)
    if passes(beyond):
        return beyond
    rest = [name for name in movable if name not in beyond]
    likely = _lossy(full, ranges) - beyond
    start = [name for name in rest if name in likely]
    if not passes(beyond | frozenset(start)):
        start = rest
        if not passes(frozenset(movable)):
            return None
    return beyond | frozenset(smallest(start, lambda some: passes(beyond | frozenset(some))))


def smallest(items: Sequence[str], passes: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Return a part of `items` that passes, and of which nothing can be left out alone.

    `items` itself has to pass.

    >>> smallest("abcdef", lambda some: "b" in some and "e" in some)
    ('b', 'e')
    """
    kept, size = list(items), max(1, len(items) // 2)
    while True:
        before = len(kept)
        kept = _without_parts(kept, size, passes)
        if size == 1 and len(kept) == before:
            return tuple(kept)
        size = max(1, min(size // 2, len(kept) // 2))


def _without_parts(
    items: list[str], size: int, passes: Callable[[Sequence[str]], bool]
) -> list[str]:
    """Return `items` without each `size` neighbours that can be left out, in order."""
    position = 0
    while position < len(items):
        fewer = items[:position] + items[position + size :]
        if passes(fewer):
            items = fewer
        else:
            position += size
    return items


def _beyond(full: Model, ranges: Ranges) -> frozenset[str]:
    """Return operations whose values or weights exceed float16, and what takes such values."""
    wide = {each.name for each in ranges.operations if each.values.near}
    heavy = {each.name for each in ranges.operations if each.weights and each.weights.near}
    return frozenset(wide | heavy | _takers(full, wide))


def _lossy(full: Model, ranges: Ranges) -> frozenset[str]:
    """Return operations whose values or weights lose their signal, and what takes such values."""
    small = {each.name for each in ranges.operations if each.values.loses}
    light = {each.name for each in ranges.operations if each.weights and each.weights.loses}
    return frozenset(small | light | _takers(full, small))


def _connected(full: Model, found: Collection[str], small: Collection[str]) -> set[str]:
    """Return what of `small` takes values of `found` or gives it values, or one another."""
    reached = set(found)
    while True:
        given = _takers(full, reached)
        giving = {name for name in small if _takers(full, {name}) & reached}
        new = (given.intersection(small) | giving) - reached
        if not new:
            return reached - set(found)
        reached |= new


def _deciding(full: Model, kept: Collection[str]) -> frozenset[str]:
    """Return what chooses the mask from logits that are kept in float32: not of rounded ones."""
    makers = {
        step.name
        for step in full.graph.steps
        if step.name in kept and LOGITS in [named.name for named in step.outputs]
    }
    return frozenset(_takers(full, makers))


def _takers(full: Model, producers: Collection[str]) -> set[str]:
    made = {
        named.name for step in full.graph.steps if step.name in producers for named in step.outputs
    }
    return {step.name for step in full.graph.steps if made.intersection(step.inputs)}
