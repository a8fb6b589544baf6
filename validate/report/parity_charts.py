"""Compute the charts of errors over pictures, as positions in per cent: the template draws them."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from validate.metrics.comparison import Metrics
from validate.report import text
from validate.report.axis import Tick, ValueAxis
from validate.results import numbers
from validate.results.parity import ArtifactResult, Report

T = TypeVar("T")
STEP = 0.5
"""Points closer together than this, in per cent of the width, are one point."""
EDGES = (7.0, 93.0)
"""Where the axis begins and ends, so that names of marks have room, in per cent."""


@dataclass(frozen=True)
class Point:
    """Hold one or more pictures at `x` per cent, and the name and figure of one of them."""

    x: float
    count: int
    label: str


@dataclass(frozen=True)
class Row:
    """Hold the points of one result, its limit in per cent, and both in words."""

    title: str
    points: tuple[Point, ...]
    limit: float
    summary: str


@dataclass(frozen=True)
class Chart:
    """Hold a row of points for each result, over one axis."""

    title: str
    note: str
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


def charts_of(report: Report) -> tuple[Chart, ...]:
    """Chart each picture's largest error and PSNR, for each measured result, failed ones first."""
    measured = [index for index in text.ordered(report) if report.results[index].tolerance]
    if not measured:
        return ()
    titles = [text.title(report, index) for index in measured]
    results = [report.results[index] for index in measured]
    return (_errors(titles, results), _psnrs(titles, results))


def _errors(titles: Sequence[str], results: Sequence[ArtifactResult]) -> Chart:
    limits = [each.tolerance.max_error for each in results if each.tolerance]
    values = _values(results, lambda metrics: metrics.relative_error)
    positive = [value for row in values for _, value in row if value] + limits
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    axis = ValueAxis(low, max(high, low + 1), *EDGES)
    return Chart(
        title="Largest error of each picture",
        note="As a share of PyTorch’s logit range, logarithmic. Left of the line is tolerated.",
        rows=_rows(titles, values, limits, axis, numbers.percent),
        ticks=axis.ticks(numbers.percent),
    )


def _psnrs(titles: Sequence[str], results: Sequence[ArtifactResult]) -> Chart:
    limits = [each.tolerance.min_psnr for each in results if each.tolerance]
    found = _values(results, lambda metrics: metrics.psnr)
    finite = [value for row in found for _, value in row if value is not None] + limits
    low, high = 10 * math.floor(min(finite) / 10), 10 * math.ceil(max(finite) / 10)
    axis = ValueAxis(low, max(high, low + 10), *EDGES, logarithmic=False)
    values = [[(name, axis.high if v is None else v) for name, v in row] for row in found]
    return Chart(
        title="PSNR of each picture",
        note="In dB, against PyTorch’s logit range. Right of the line is tolerated; the limit "
        "is for all pictures together.",
        rows=_rows(titles, values, limits, axis, numbers.decibels),
        ticks=axis.ticks("{:.0f} dB".format, unit=10),
    )


def _values(
    results: Sequence[ArtifactResult], figure: Callable[[Metrics], T]
) -> list[list[tuple[str, T]]]:
    return [[(each.name, figure(each.metrics)) for each in r.pictures] for r in results]


def _rows(
    titles: Sequence[str],
    values: Sequence[Sequence[tuple[str, float]]],
    limits: Sequence[float],
    axis: ValueAxis,
    write: Callable[[float], str],
) -> tuple[Row, ...]:
    return tuple(
        Row(
            title,
            _points(row, axis, write),
            axis.at(limit),
            f"{write(min(v for _, v in row))} to {write(max(v for _, v in row))}, "
            f"limit {write(limit)}",
        )
        for title, row, limit in zip(titles, values, limits, strict=True)
    )


def _points(
    row: Sequence[tuple[str, float]], axis: ValueAxis, write: Callable[[float], str]
) -> tuple[Point, ...]:
    places = [round(axis.at(value) / STEP) * STEP for _, value in row]
    counts = Counter(places)
    first = dict(zip(reversed(places), reversed(row), strict=True))
    return tuple(
        Point(x, n, f"{first[x][0]}: {write(first[x][1])}" + _more(n))
        for x, n in sorted(counts.items())
    )


def _more(count: int) -> str:
    return f" and {count - 1} more like it" if count > 1 else ""
