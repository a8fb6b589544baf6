"""Sum up a run: a table on the console, every failing case in JSON, a page for the docs."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from conformance.exceptions import exemptions, reason_for
from conformance.outcomes import Outcome

_HEADER = (
    "test file",
    "passed",
    "at FP16's tolerance",
    "failed",
    "does not apply",
    "skipped",
    "why skipped",
)


@dataclass(slots=True)
class Tally:
    """Hold the counts of one test file, or of all."""

    passed: int = 0
    relaxed: int = 0
    failed: int = 0
    inapplicable: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; an exempted case is counted apart, also where it passes."""
        if outcome.verdict == "skipped":
            self.skipped[outcome.message] += 1
        elif reason_for(outcome.case) is not None:
            self.inapplicable += 1
        elif outcome.verdict == "passed":
            self.passed += 1
        elif outcome.verdict == "relaxed":
            self.relaxed += 1
        else:
            self.failed += 1

    def cells(self, name: str) -> tuple[str, ...]:
        """Return a row of the table."""
        reasons = "; ".join(f"{reason} ({n})" for reason, n in self.skipped.most_common())
        counts = (
            self.passed,
            self.relaxed,
            self.failed,
            self.inapplicable,
            self.skipped.total(),
        )
        return (name, *(f"{count:,}" for count in counts), reasons)


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold the counts of a run: by test file, in total, and by reason of exemption."""

    files: dict[str, Tally]
    total: Tally
    failures: tuple[Outcome, ...]
    exempted: Counter[str]


def summarise(outcomes: Iterable[Outcome]) -> Summary:
    """Count outcomes by test file."""
    files: dict[str, Tally] = {}
    total = Tally()
    failures = []
    exempted: Counter[str] = Counter()
    for outcome in sorted(outcomes, key=lambda each: each.case):
        files.setdefault(outcome.file, Tally()).add(outcome)
        total.add(outcome)
        reason = reason_for(outcome.case)
        if reason is not None and outcome.verdict != "skipped":
            exempted[reason] += 1
        elif outcome.verdict == "failed":
            failures.append(outcome)
    return Summary(files, total, tuple(failures), exempted)


def show(summary: Summary, console: Console) -> None:
    """Print the table, and below it why cases were skipped: too long for a column."""
    table = Table(*_HEADER[:-1])
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    for file, tally in summary.files.items():
        table.add_row(*tally.cells(file)[:-1], style="red" if tally.failed else None)
    table.add_section()
    table.add_row(*summary.total.cells("all")[:-1])
    console.print(table)
    for reason, count in summary.total.skipped.most_common():
        console.print(f"{count:,} skipped: {reason}", markup=False, highlight=False)


def write_json(summary: Summary, path: Path) -> None:
    """Write the counts, and every failing case with the first words of its error."""
    content = {
        "versions": _versions(),
        "files": {
            file: {
                "passed": tally.passed,
                "relaxed": tally.relaxed,
                "failed": tally.failed,
                "inapplicable": tally.inapplicable,
                "skipped": dict(tally.skipped),
            }
            for file, tally in summary.files.items()
        },
        "failures": {each.case: each.message for each in summary.failures},
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_page(summary: Summary, path: Path) -> None:
    """Write the page for the docs."""
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    lines = [
        "# Conformance of the Core ML reference runtime",
        "",
        "Made by `make conformance`; do not edit. coremltools' own tests of its operations and",
        "layers, with the reference runtime in the place of Core ML, in FP32 and in FP16, with",
        "coremltools' tolerances: cases of FP32 in the arithmetic `float32`, all others in",
        f"`as_stored`. Run with {versions}.",
        "",
        *_rows(summary),
        "",
        "Cases that coremltools marks as expected failures of Core ML are run like all others.",
        "",
        "FP32 cases whose values are FP16 are compared, at FP32's tolerance, with numbers that",
        "have rounding errors of FP16: computed in FP16 by numpy or PyTorch, or from values not",
        "yet rounded. They are passed where that tolerance is met, and counted apart where eight",
        "units in the last place of FP16 are (2^-8, relative and absolute).",
        "",
        "## Cases that do not apply",
        "",
        *_exempted(summary),
        "",
        "## Failing cases",
        "",
        *([f"- `{each.case}`: {each.message}" for each in summary.failures] or ["None."]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows(summary: Summary) -> list[str]:
    rows: list[tuple[str, ...]] = [_HEADER, ("---", *("--:",) * (len(_HEADER) - 2), "---")]
    rows += [tally.cells(file) for file, tally in summary.files.items()]
    rows.append(("**all**", *summary.total.cells("")[1:-1], ""))
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return [f"| {' | '.join(row)} |" for row in escaped]


def _exempted(summary: Summary) -> list[str]:
    lines = []
    for exemption in exemptions():
        lines.append(f"- {summary.exempted[exemption.reason]:,} cases: {exemption.reason}")
        lines += [f"    - `{case}`" for case in exemption.patterns]
    return lines


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("coremltools", "torch", "numpy")}
