"""Compute the chart of a file's drift, as positions in per cent: the template draws it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from validate.report import drift_text as words
from validate.report.axis import Part, Tick, parts_of, position, rising_axis
from validate.results.drift import Drift
from validate.results.numbers import FORMATS

LEAST = 1e-8
"""Errors below this are drawn at the foot of the chart: float32 holds no smaller ones."""


@dataclass(frozen=True)
class DriftPoint:
    """Hold one operation: its `x`, its errors' distances from the top, a cell for each column."""

    x: float
    own: float
    accumulated: float
    departs: bool
    cells: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class DriftChart:
    """Hold the chart of one file.

    `accumulated` and `explained` are SVG paths in per cent: of the accumulated error, and of
    the error that rounding explains. `start` is the operation that is shown first. `notes` are
    sentences below the chart.
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
    """Return the chart of each file that was followed, those that depart first."""
    return tuple(_chart(each) for each in sorted(drifts, key=lambda drift: drift.first is None))


def _chart(drift: Drift) -> DriftChart:
    rows = drift.rows
    errors = [e for row in rows for e in (row.own, row.accumulated, row.explained) if e > LEAST]
    low = math.floor(math.log10(min(errors, default=LEAST)))
    high = max(math.ceil(math.log10(max(errors, default=1.0))), low + 1)
    axis = rising_axis(low, min(high, 3))
    y = axis.at
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
        ticks=axis.ticks(words.size),
        parts=parts_of(xs, [row.module for row in rows]),
        start=_start(drift),
    )


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + " ".join(f"{x} {y}" for x, y in zip(xs, ys, strict=True)) if xs else ""


def _notes(drift: Drift) -> tuple[str, ...]:
    if not drift.rows:
        return ()
    told = (words.inputs(drift.first), words.weights(drift.first)) if drift.first else ()
    return (*filter(None, told), f"{words.mapped(drift)}. Followed on {drift.picture}.")


def _start(drift: Drift) -> int:
    """Return the departing operation, or the one with the largest accumulated error."""
    if drift.first is not None:
        return drift.first.index
    errors = [row.accumulated for row in drift.rows]
    return errors.index(max(errors)) if errors else 0
