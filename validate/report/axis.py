"""Place values and operations of a chart, in per cent of its width or height."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

TICKS = 6
"""Steps between the marks of an axis at most."""
DISTANCE = 8.0
"""How far apart the names of two parts of the network stand at least, in per cent."""


@dataclass(frozen=True)
class Tick:
    """Hold a mark of an axis at `at` per cent."""

    at: float
    label: str


@dataclass(frozen=True)
class ValueAxis:
    """Map values between `low` and `high` to positions between `start` and `end`, in per cent.

    A logarithmic axis has powers of ten as its bounds.
    """

    low: int
    high: int
    start: float
    end: float
    logarithmic: bool = True

    def at(self, value: float) -> float:
        """Return the position of `value`, held inside."""
        scaled = math.log10(max(value, 10.0**self.low)) if self.logarithmic else value
        share = min(max((scaled - self.low) / (self.high - self.low), 0.0), 1.0)
        return round(self.start + (self.end - self.start) * share, 2)

    def ticks(self, write: Callable[[float], str], unit: int = 1) -> tuple[Tick, ...]:
        """Return marks at multiples of `unit`, or of its multiples where those are too many."""
        step = unit * max(1, -(-(self.high - self.low) // (TICKS * unit)))
        marks = range(self.low, self.high + 1, step)
        values = [10.0**mark if self.logarithmic else mark for mark in marks]
        return tuple(Tick(self.at(value), write(value)) for value in values)


def rising_axis(low: int, high: int) -> ValueAxis:
    """Return a logarithmic axis from the foot of a chart to its top."""
    return ValueAxis(low, high, 96, 4)


@dataclass(frozen=True)
class Part:
    """Hold a part of the network, from `x` to `end`, in per cent."""

    x: float
    end: float
    label: str


def position(index: int, count: int) -> float:
    """Return the place of operation `index` of `count`, in per cent of the width."""
    return round(1 + 98 * index / max(count - 1, 1), 2)


def parts_of(xs: Sequence[float], modules: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts of a network whose operations stand at `xs` and belong to `modules`.

    A part is named by the first two names of its modules' paths; the first of them is left
    away where the part before has it too: encoder.bn1, layer1, layer2.
    """
    found: list[tuple[float, str]] = []
    before = ""
    for x, module in zip(xs, modules, strict=True):
        part = ".".join(module.split(".")[:2])
        far = not found or x - found[-1][0] >= DISTANCE
        if part and part != before and far and x < 90:
            found.append((x, part))
        before = part or before
    ends = [*(x for x, _ in found), 100.0][1:]
    names = _without_repeated([part for _, part in found])
    return tuple(Part(x, end, name) for (x, _), end, name in zip(found, ends, names, strict=True))


def _without_repeated(parts: Sequence[str]) -> Iterator[str]:
    before = ""
    for part in parts:
        first, _, second = part.partition(".")
        yield second if second and first == before else part
        before = first
