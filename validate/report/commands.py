"""Name the commands that go on from a report, for those who read it."""

import shlex

from validate.images.samples import LISTED_ORIGIN, RENDERED_ORIGIN
from validate.results.parity import Report


def repeat(report: Report, *flags: str) -> str:
    """Return the command that repeats the run, as far as the report knows it."""
    words = ["segport", "validate", f"build/{report.bundle}"]
    if not report.samples.origin.startswith((RENDERED_ORIGIN, LISTED_ORIGIN)):
        words += ["--samples", report.samples.origin]
    if report.tolerances is not None:
        words += ["--tolerances", report.tolerances.name]
    return shlex.join([*words, *flags])


def explain(report: Report) -> str | None:
    """Return the command that finds out why a file failed; None where there is none."""
    known = report.drift or "Reference" in report.facts
    return None if known or report.verdict != "failed" else repeat(report, "--drift")
