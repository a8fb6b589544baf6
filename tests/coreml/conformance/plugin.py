"""Adapt pytest: this plugin is loaded with `-p conformance.plugin`.

Its options: where to write outcomes, how many cases to choose (0 for all), and whether Core ML
itself runs beside the runtime.
Cases whose outcome is written already are not run again. Each case starts from a seed made of its
name, so that its random inputs do not depend on what ran before, and has a temporary folder of its
own that is removed after it: coremltools keeps what it saves until the process ends.
"""

import gc
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch

from conformance import stand_in
from conformance.outcomes import Outcome, Verdict, read
from conformance.suite import NATIVE_OPTION, OUTCOMES_OPTION, SUBSET_OPTION, case_name, stratified

_MESSAGE_LENGTH = 300
_FP16_TOLERANCE = 2.0**-8
"""Eight units in the last place of FP16."""
_RELAXED = "relaxed"

torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption(OUTCOMES_OPTION, type=Path, required=True)
    parser.addoption(SUBSET_OPTION, type=int, default=0)
    parser.addoption(NATIVE_OPTION, action="store_true")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not chosen, or has an outcome; write down how many are left."""
    path: Path = config.getoption(OUTCOMES_OPTION)
    count: int = config.getoption(SUBSET_OPTION)
    nodes = [item.nodeid for item in items]
    chosen = stratified(nodes, count) if count else set(nodes)
    done = {outcome.case for outcome in read(path)}
    items[:] = [
        item for item in items if item.nodeid in chosen and case_name(item.nodeid) not in done
    ]
    path.with_suffix(".total").write_text(str(len(chosen)), encoding="utf-8")


def pytest_collection_finish() -> None:
    """Keep what exists by now out of garbage collection, which coremltools asks for each case."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give the case its arithmetic, its seed and its temporary folder."""
    stand_in.agree(_terms(item))
    seed = crc32(item.nodeid.encode())
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory(prefix="conformance", ignore_cleanup_errors=True) as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        result = yield
        tempfile.tempdir = before
    return result


def _terms(item: pytest.Item) -> stand_in.Terms:
    """Choose arithmetic and tolerance: FP32 cases expect what the graph means.

    Some of them have FP16 values all the same. What they expect is computed in FP16 by numpy or
    PyTorch, or from values not yet rounded: errors that FP32's tolerance does not allow for.
    """
    callspec = getattr(item, "callspec", None)
    backend = callspec.params.get("backend") if callspec else None
    if getattr(backend, "precision", None) != "fp32":
        return stand_in.Terms("as_stored")
    fp16 = "float16" in item.nodeid or "fp16" in item.nodeid
    return stand_in.Terms("float32", _FP16_TOLERANCE if fp16 else None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note in a case's report that its tolerance was relaxed."""
    if stand_in.terms().relaxed:
        item.user_properties.append((_RELAXED, True))
    return (yield)


class _Recorder:
    """Write an outcome for each case, in the process that reports arrive in."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down a case once it is decided: after its call, or where it ended before."""
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._write(report.nodeid, report, report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Write down a file that cannot be collected."""
        if report.failed:
            self._write(report.nodeid, report, 0.0)

    def _write(
        self, node: str, report: pytest.TestReport | pytest.CollectReport, seconds: float
    ) -> None:
        message = "" if report.passed else _message(report)
        relaxed = report.passed and (_RELAXED, True) in getattr(report, "user_properties", [])
        verdict: Verdict = "relaxed" if relaxed else report.outcome
        outcome = Outcome(case_name(node), verdict, message, round(seconds, 3))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(outcome.line())


def pytest_configure(config: pytest.Config) -> None:
    """Put the runtime in; write outcomes in the process that runs pytest, not in its workers."""
    if config.getoption(NATIVE_OPTION):
        from conformance import native

        native.install()
    else:
        stand_in.install()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(config.getoption(OUTCOMES_OPTION)))


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    details = report.longrepr
    if isinstance(details, tuple):
        return details[2].removeprefix("Skipped: ")
    crash = getattr(details, "reprcrash", None)
    text = crash.message if crash is not None else str(details)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[:4])[:_MESSAGE_LENGTH]
