"""Write `parity.md`, the report for a pull request or the summary of a GitHub job."""

import re
from collections.abc import Iterable, Sequence

from models.common.text import listed, one_line
from validate.report import commands, compression_text, drift_text, text
from validate.report.text import COLUMNS, overlap, photo_way, ranges, reasons, reference_time, row
from validate.results.numbers import decibels, percent
from validate.results.parity import ArtifactResult, Report

MARKS = {"passed": "✅", "failed": "❌", "not all judged": "⚠️", "nothing judged": "⚠️"}


def to_markdown(report: Report) -> str:
    """Return the text of `parity.md`."""
    parts = [
        f"### {MARKS[report.verdict]} {escaped(report.bundle)}: parity with PyTorch",
        escaped(report.sentence),
        table(COLUMNS, [row(report.results[index]) for index in text.ordered(report)]),
        *_not_passed(report.results),
        *(f"- {escaped(drift_text.sentence(each))}" for each in report.drift),
        _overlaps(report),
        *_compressed(report),
        *_branches(report),
        *_footnotes(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, its cells escaped."""
    lines = ["| " + " | ".join(map(escaped, cells)) + " |" for cells in (columns, *rows)]
    return "\n".join((lines[0], "|" + " --- |" * len(columns), *lines[1:]))


def _not_passed(results: tuple[ArtifactResult, ...]) -> list[str]:
    return [
        f"- {escaped(result.path)} ({escaped(result.runtime)}), {result.status}: "
        f"{escaped(reasons(result))}."
        for result in results
        if result.reasons
    ]


def _overlaps(report: Report) -> str:
    measured = [result for result in report.results if result.total is not None]
    if not measured:
        return ""
    columns = ("IoU with PyTorch's mask", *report.labels)
    rows = [
        (f"{result.path} ({result.runtime})", *map(overlap, result.total.classes))
        for result in measured
        if result.total is not None
    ]
    return table(columns, rows)


def _compressed(report: Report) -> list[str]:
    rows = compression_text.rows(report)
    if not rows:
        return []
    return [table(compression_text.columns(report), rows), escaped(compression_text.SENTENCE)]


def _branches(report: Report) -> list[str]:
    if report.branches is None:
        return []
    rows = text.branch_rows(report.branches, report.labels)
    return [
        table(text.branch_columns(report.branches), rows),
        escaped(text.branch_sentence(report.branches)),
    ]


def _footnotes(report: Report) -> list[str]:
    used = f"{report.samples.used:,} pictures from {report.samples.origin}"
    lines = [f"Judged on {used}. The same again: {commands.repeat(report)}"]
    if found := commands.explain(report):
        lines.append(f"The operation that departs is named by: {found}")
    if times := [f"{path} in {runtime} {time}" for path, runtime, time in text.times(report)]:
        lines.append(
            f"Milliseconds of a picture on this machine, and their ratio to PyTorch's: "
            f"{', '.join(times)}; {reference_time(report.milliseconds)}. {text.NO_PHONE}"
        )
    if report.noise is not None:
        lines.append(
            "Rounding every layer to float16 moves PyTorch's own logits by up to "
            f"{percent(report.noise.relative_error)} of their range "
            f"({decibels(report.noise.psnr)})."
        )
    if report.photo_way is not None:
        lines.append(photo_way(report.photo_way))
    if report.ranges is not None:
        lines += ranges(report.ranges)
    if report.tolerances is not None:
        lines.append(f"Tolerances given by {report.tolerances.name}.")
    skipped = report.samples.skipped
    if skipped:
        names = listed([f"{each.name} ({each.reason})" for each in skipped], 10)
        lines.append(f"Not used ({len(skipped)}): {names}.")
    return [escaped(line) for line in lines]


def escaped(text: str) -> str:
    """Escape `text` for Markdown and its table cells: a file may be called `[a]|<b>`."""
    text = one_line(text.replace("\n", " "))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$@])", r"\\\1", text)
