"""Compute the chart of operations' ranges in float16, as positions in per cent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.common.text import counted
from validate.report.axis import Part, Tick, parts_of, position, rising_axis
from validate.results.ranges import (
    LARGEST,
    NORMAL,
    SMALLEST,
    Magnitudes,
    OperationRange,
    Ranges,
    written,
)

COLUMNS = (
    "operation",
    "type",
    "largest",
    "smallest",
    "rounding",
    "largest weight",
    "rounding of weights",
    "in",
)
LIMITS = ((LARGEST, "65,504"), (NORMAL, "6.1e-05"), (SMALLEST, "6e-08"))
NOTHING = "–"


@dataclass(frozen=True)
class RangeBar:
    """Hold one operation at `x`: where the largest and the smallest of its values and weights lie.

    `state` is "faulty", "pinned" or "suited"; `cells` belong to COLUMNS.
    """

    x: float
    values: tuple[float, float]
    weights: tuple[float, float] | None
    state: str
    cells: tuple[str, ...]
    label: str

    @property
    def departs(self) -> bool:
        """Tell whether float16 does not suit it."""
        return self.state == "faulty"


@dataclass(frozen=True)
class RangeChart:
    """Hold all operations, float16's bounds (`limits`), the operation shown first (`start`)."""

    sentence: str
    bars: tuple[RangeBar, ...]
    ticks: tuple[Tick, ...]
    limits: tuple[Tick, ...]
    parts: tuple[Part, ...]
    start: int


def range_chart(ranges: Ranges | None) -> RangeChart | None:
    """Return the chart of `ranges`; None where nothing was measured."""
    if ranges is None or not ranges.operations:
        return None
    rows = ranges.operations
    axis = rising_axis(*_bounds(rows))
    y = axis.at

    def bar(magnitudes: Magnitudes) -> tuple[float, float]:
        return y(magnitudes.largest), y(magnitudes.smallest)

    xs = [position(index, len(rows)) for index in range(len(rows))]
    return RangeChart(
        sentence=_sentence(ranges),
        bars=tuple(
            RangeBar(
                x,
                bar(row.values),
                bar(row.weights) if row.weights else None,
                _state(row),
                _cells(row),
                _label(row),
            )
            for x, row in zip(xs, rows, strict=True)
        ),
        ticks=axis.ticks(lambda value: f"1e{math.log10(value):.0f}"),
        limits=tuple(Tick(y(value), label) for value, label in LIMITS),
        parts=parts_of(xs, [row.module or "" for row in rows]),
        start=_start(rows),
    )


def _bounds(rows: Sequence[OperationRange]) -> tuple[int, int]:
    """Return the powers of ten that hold float16's range and all that is drawn."""
    found = [LARGEST, SMALLEST]
    for row in rows:
        for each in (row.values, row.weights):
            found += [each.largest, each.smallest] if each and each.largest else []
    low = math.floor(math.log10(max(min(found), 1e-12)))
    return low, math.ceil(math.log10(max(found)))


def _state(row: OperationRange) -> str:
    if row.pinned:
        return "pinned"
    return "faulty" if row.fault else "suited"


def _start(rows: Sequence[OperationRange]) -> int:
    """Return the first operation that float16 does not suit, or that with the largest value."""
    for wanted in ("faulty", "pinned"):
        for index, row in enumerate(rows):
            if _state(row) == wanted:
                return index
    return max(range(len(rows)), key=lambda index: rows[index].values.largest)


def _cells(row: OperationRange) -> tuple[str, ...]:
    weights = (NOTHING, NOTHING)
    if row.weights:
        weights = (written(row.weights.largest), _lost(row.weights))
    values = (written(row.values.largest), written(row.values.smallest), _lost(row.values))
    kept = "float32" if row.pinned else "float16"
    return (row.module or row.name, row.type, *values, *weights, kept)


def _lost(magnitudes: Magnitudes) -> str:
    return f"{100 * magnitudes.lost:.2f} %"


def _label(row: OperationRange) -> str:
    said = row.fault or f"its values reach from {written(row.values.smallest)} to " + written(
        row.values.largest
    )
    return f"{row.title}: {said}{'; kept in float32' if row.pinned else ''}."


def _sentence(ranges: Ranges) -> str:
    pictures = counted(ranges.pictures, "picture")
    count = len(ranges.faulty)
    if count:
        what = counted(count, "operation")
        return f"Float16 does not suit {what} that are computed in it, on {pictures}."
    in_float16 = [row.values.largest for row in ranges.operations if not row.pinned]
    if not in_float16:
        return "Every operation is computed in float32."
    return (
        f"Float16 suits every operation that is computed in it, on {pictures}: "
        f"the largest value is {written(max(in_float16))}, of 65,504."
    )
