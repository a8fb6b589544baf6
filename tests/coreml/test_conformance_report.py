"""How conformance cases are chosen, exempted, written down and summed up."""

import json

import pytest
from conformance import outcomes, report, suite
from conformance.exceptions import Exemption, exemptions
from conformance.outcomes import Outcome

from models.errors import InputError

RANDOM = "iOS14/test_random.py::TestRandomNormal::test_x[1]"


def outcome(case, verdict="passed", message=""):
    return Outcome(case, verdict, message, 0.1)


@pytest.fixture
def summary():
    return report.summarise(
        [
            outcome("a/test_x.py::T::test_a[1]"),
            outcome("a/test_x.py::T::test_a[2]", "failed", "AssertionError: no"),
            outcome("a/test_y.py::T::test_b[1]", "skipped", "needs TensorFlow"),
            outcome("a/test_y.py::T::test_b[2]", "skipped", "needs TensorFlow"),
            outcome("a/test_y.py::T::test_b[3]", "relaxed"),
            outcome(RANDOM),
            outcome(RANDOM + "[2]", "failed", "RuntimeError: random"),
        ]
    )


def test_an_exempted_case_is_never_counted_as_passed(summary):
    assert (summary.total.passed, summary.total.failed, summary.total.inapplicable) == (1, 1, 2)
    assert summary.total.relaxed == 1
    assert summary.total.skipped == {"needs TensorFlow": 2}
    assert [each.case for each in summary.failures] == ["a/test_x.py::T::test_a[2]"]


def test_json_and_page_name_every_failing_case(summary, tmp_path):
    report.write_json(summary, tmp_path / "conformance.json")
    report.write_page(summary, tmp_path / "docs" / "conformance.md")
    content = json.loads((tmp_path / "conformance.json").read_text())
    page = (tmp_path / "docs" / "conformance.md").read_text()
    assert content["failures"] == {"a/test_x.py::T::test_a[2]": "AssertionError: no"}
    assert content["files"]["a/test_y.py"]["skipped"] == {"needs TensorFlow": 2}
    assert "| a/test_y.py | 0 | 1 | 0 | 0 | 2 | needs TensorFlow (2) |" in page
    assert "`a/test_x.py::T::test_a[2]`: AssertionError: no" in page
    assert all(exemption.reason in page for exemption in exemptions())


def test_brackets_in_a_pattern_are_taken_literally():
    exemption = Exemption(("a.py::test_x[alpha=[1.0, 2.0]*",), "reason")
    assert exemption.covers("a.py::test_x[alpha=[1.0, 2.0]-b=1]")
    assert not exemption.covers("a.py::test_x1")


def test_a_subset_takes_every_file_and_many_functions_and_is_always_the_same():
    nodes = [
        f"f{file}.py::test_{function}[{case}]"
        for file in range(4)
        for function in range(5)
        for case in range(100 if function == 0 else 3)
    ]
    chosen = suite.stratified(nodes, 20)
    assert chosen == suite.stratified(list(reversed(nodes)), 20)
    assert {node.partition("[")[0] for node in chosen} == {
        f"f{file}.py::test_{function}" for file in range(4) for function in range(5)
    }


def test_a_line_that_is_cut_off_is_left_out(tmp_path):
    path = tmp_path / "outcomes.jsonl"
    path.write_text(outcome("a").line() + outcome("b").line()[:10])
    assert list(outcomes.read(path)) == [outcome("a")]


def test_a_name_that_no_test_file_has_is_refused():
    assert all("test_conv.py" in path.name for path in suite.test_files(("test_conv.py",)))
    with pytest.raises(InputError, match="No test file of coremltools"):
        suite.test_files(("test_nothing",))
