"""The chart of a file's drift, as positions in per cent: the template draws it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from validate.report import drift_text as words
from validate.report.parity_charts import Tick
from validate.results.drift import Drift
from validate.results.numbers import FORMATS

LEAST = 1e-8
"""Errors below this are drawn at the foot of the chart: float32 holds no smaller ones."""
DISTANCE = 8.0
"""How far apart the names of two parts of the network stand at least, in per cent."""


@dataclass(frozen=True)
class DriftPoint:
    """One operation at `x`; `y` of its errors from the top. `cells` belong to the columns."""

    x: float
    own: float
    accumulated: float
    departs: bool
    cells: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Part:
    """A part of the network, from `x` to `end`, in per cent."""

    x: float
    end: float
    label: str


@dataclass(frozen=True)
class Height:
    """A logarithmic axis that goes up, from the power of ten `low` to `high`."""

    low: int
    high: int

    def at(self, value: float) -> float:
        """Where `value` stands, in per cent from the top, held inside."""
        share = (math.log10(max(value, 10.0**self.low)) - self.low) / (self.high - self.low)
        return round(96 - 92 * min(share, 1.0), 2)

    @property
    def powers(self) -> range:
        """The powers of ten that are marked, some five of them."""
        return range(self.low, self.high + 1, max(1, -(-(self.high - self.low) // 5)))


@dataclass(frozen=True)
class DriftChart:
    """One file.

    `lines` are SVG paths in per cent: of the accumulated error, and of what rounding explains.
    `start` is the operation that is shown first. `notes` are sentences below the chart.
    """

    title: str
    sentence: str
    departs: bool
    notes: tuple[str, ...]
    points: tuple[DriftPoint, ...]
    accumulated: str
    explained: str
    ticks: tuple[Tick, ...]
    parts: tuple[Part, ...]
    start: int


def drift_charts(drifts: Sequence[Drift]) -> tuple[DriftChart, ...]:
    """A chart of each file that was followed."""
    return tuple(_chart(drift) for drift in drifts)


def _chart(drift: Drift) -> DriftChart:
    rows = drift.rows
    errors = [e for row in rows for e in (row.own, row.accumulated, row.explained) if e > LEAST]
    low = math.floor(math.log10(min(errors, default=LEAST)))
    high = max(math.ceil(math.log10(max(errors, default=1.0))), low + 1)
    height = Height(low, min(high, 3))
    y = height.at
    xs = [position(index, len(rows)) for index in range(len(rows))]
    return DriftChart(
        title=f"{FORMATS[drift.format]}, {drift.precision}",
        sentence=words.sentence(drift),
        departs=drift.first is not None,
        notes=_notes(drift),
        points=tuple(
            DriftPoint(x, y(r.own), y(r.accumulated), r.departs, words.cells(r), words.point(r))
            for x, r in zip(xs, rows, strict=True)
        ),
        accumulated=_path(xs, [y(row.accumulated) for row in rows]),
        explained=_path(xs, [y(row.explained) for row in rows]),
        ticks=tuple(Tick(y(10.0**power), words.size(10.0**power)) for power in height.powers),
        parts=parts_of(xs, [row.module for row in rows]),
        start=_start(drift),
    )


def position(index: int, count: int) -> float:
    """Where the operation `index` of `count` stands, in per cent of the width."""
    return round(1 + 98 * index / max(count - 1, 1), 2)


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + " ".join(f"{x} {y}" for x, y in zip(xs, ys, strict=True)) if xs else ""


def _notes(drift: Drift) -> tuple[str, ...]:
    if not drift.rows:
        return ()
    told = (words.inputs(drift.first), words.weights(drift.first)) if drift.first else ()
    return (*filter(None, told), f"{words.mapped(drift)}. Followed on {drift.picture}.")


def parts_of(xs: Sequence[float], modules: Sequence[str]) -> tuple[Part, ...]:
    """Where a part of the network begins: the first two names of its modules' paths.

    A first name that the part before has too is left away: encoder.bn1, layer1, layer2.
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


def _start(drift: Drift) -> int:
    """The departing operation, or the one with the largest accumulated error."""
    if drift.first is not None:
        return drift.first.index
    errors = [row.accumulated for row in drift.rows]
    return errors.index(max(errors)) if errors else 0
