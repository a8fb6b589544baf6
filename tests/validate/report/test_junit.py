"""`junit.xml`: what the test views of CI systems read."""

from dataclasses import replace
from xml.etree import ElementTree

from junitparser import JUnitXml
from made_reports import made_report

from validate.report.junit import to_junit

CASE_CHILDREN = {"failure", "skipped", "error", "system-out", "system-err", "properties"}


def cases(text):
    return {
        (case.get("classname"), case.get("name")): case
        for case in ElementTree.fromstring(text).iter("testcase")
    }


def test_one_case_for_each_file_and_runtime_with_its_reasons():
    report = made_report(broken=True)
    found = cases(to_junit(report))
    assert len(found) == len(report.results) == 4
    assert list(found["made.made.torchscript.pt", "torch.jit"].iter("failure")) == []
    failure = found["made.made.onnx", "ONNX Runtime"].find("failure")
    assert failure.get("type") == "ParityFailure"
    assert failure.text.splitlines() == list(report.results[2].reasons)
    skipped = found["made.made.mlmodel", "Core ML"].find("skipped")
    assert skipped.get("message") == "macOS only"
    assert "verdict: passed" in found["made.made.mlpackage", "Core ML reference"].findtext(
        "system-out"
    )


def test_it_has_the_shape_that_readers_expect():
    root = ElementTree.fromstring(to_junit(made_report(broken=True)))
    assert root.tag == "testsuites"
    for level in (root, *root.iter("testsuite")):
        counts = [int(level.get(name)) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == [4, 1, 0, 1]
        assert float(level.get("time")) >= 0
    for case in root.iter("testcase"):
        assert set(case.keys()) >= {"name", "classname", "time"}
        assert {child.tag for child in case} <= CASE_CHILDREN


def test_a_library_reads_what_another_name_would_break():
    wicked = "]]><x a='1'>&\x00\ud800\n.onnx"
    report = made_report()
    first = replace(report.results[0], path=wicked, status="failed", reasons=(wicked,))
    report = replace(report, bundle=wicked, results=(first, *report.results[1:]))
    read = JUnitXml.fromstring(to_junit(report).encode("utf-8"))
    assert (read.tests, read.failures, read.skipped) == (4, 1, 1)
    assert "]]><x a='1'>&\ufffd\ufffd" in next(iter(next(iter(read)))).classname
