"""Write `junit.xml`, the verdicts as test cases, for the test views of CI systems."""

import re

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from models.common.text import visible
from validate.report import text
from validate.results.parity import ArtifactResult, Report

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold; a file's name can."""


def to_junit(report: Report) -> str:
    """Return the text of `junit.xml`: one test case for each file in each runtime.

    A case is named after its runtime, its class after the bundle and the file. It takes the
    time of all pictures, in seconds, and a failure or skip carries its reasons.
    """
    suite = TestSuite(_text(report.bundle))
    suite.timestamp = report.created.removesuffix("+00:00")
    for title, value in report.facts.items():
        suite.add_property(_text(title), _text(value))
    for result in report.results:
        suite.add_testcase(_case(report, result))
    document = JUnitXml("parity with PyTorch")
    document.add_testsuite(suite)
    document.update_statistics()
    xml = document.tostring().decode("utf-8")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n'


def _case(report: Report, result: ArtifactResult) -> TestCase:
    pictures = len(result.pictures)
    seconds = (result.milliseconds or 0.0) * pictures / 1000
    name = _text(result.runtime)
    case = TestCase(name, f"{_text(report.bundle)}.{_text(result.path)}", round(seconds, 3))
    reasons = _text(text.reasons(result))
    if result.status == "failed":
        failure = Failure(reasons, "ParityFailure")
        failure.text = "\n".join(map(_text, result.reasons))
        case.result = [failure]
    elif result.status == "not run":
        case.result = [Skipped(reasons)]
    figures = dict(zip(text.COLUMNS, text.row(result), strict=True))
    case.system_out = "\n".join(f"{title}: {_text(value)}" for title, value in figures.items())
    return case


def _text(value: str) -> str:
    return visible(FORBIDDEN.sub("\ufffd", value))
