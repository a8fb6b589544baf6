"""Reports that the app shares, read back."""

import json

import pytest
from damagekit.vectors_records import report as example

from models.errors import InputError
from validate.ios.report import COLUMNS, read_device_report, rows, to_markdown


@pytest.fixture
def written(tmp_path):
    def write(change=lambda document: None):
        document = json.loads(json.dumps(example()))
        change(document)
        path = tmp_path / "report.json"
        path.write_text(json.dumps(document))
        return path

    return write


def passing(document):
    del document["runs"][1:]
    document["passed"] = True


def test_a_report_is_read(written):
    report = read_device_report(written())
    assert report.device == "iPhone15,2"
    assert report.model == "breakage"
    assert [run.units for run in report.runs] == ["all", "cpu_and_gpu", "cpu_and_neural_engine"]
    assert [run.passed for run in report.runs] == [True, False, False]
    first = report.runs[0]
    samples = example()["runs"][0]["samples"]
    assert first.samples == len(samples) == 2
    assert first.agreement == sum(s["agreeing"] for s in samples) / sum(
        s["pixels"] for s in samples
    )
    assert first.largest_error == max(s["largest_error"] for s in samples)
    assert report.runs[2].agreement is None
    assert list(report.failed_samples) == ["cpu_and_gpu"]
    assert not report.passed
    assert report.sentence.endswith("CPU and GPU, CPU and Neural Engine.")


def test_a_report_that_passes(written):
    report = read_device_report(written(passing))
    assert report.passed
    assert "agrees with PyTorch on iPhone15,2 (iOS 17.5)" in report.sentence


def test_its_table(written):
    report = read_device_report(written())
    table = rows(report)
    assert all(len(row) == len(COLUMNS) for row in table)
    assert [row[0] for row in table] == ["all", "CPU and GPU", "CPU and Neural Engine"]
    assert table[0][-1] == "passed"
    assert table[2][-1] == "failed: The model could not be loaded."
    assert table[2][1] == "–"
    text = to_markdown(report)
    assert text.count("\n| ") == 2 + len(report.runs)
    assert "Not passed on CPU and GPU" in text


def test_a_name_cannot_break_the_table(written):
    def rename(document):
        document["runs"][2]["failure"] = "a | b\nc"

    text = to_markdown(read_device_report(written(rename)))
    assert "a \\| b c" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema="3"), "does not hold a device report of this version"),
        (lambda d: d["runs"][0].update(compute_units="quantum"), "runs/0/compute_units"),
        (lambda d: d["runs"][0]["samples"][0].update(pixels=0), "runs/0/samples/0/pixels"),
        (lambda d: d.pop("gate"), "'gate' is a required property"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.update(passed=True), "contradicts itself"),
    ],
)
def test_a_damaged_report_is_refused(written, change, message):
    with pytest.raises(InputError, match=message):
        read_device_report(written(change))


def test_a_file_that_is_no_report_is_refused(tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(InputError, match="does not exist"):
        read_device_report(path)
    path.write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a device report"):
        read_device_report(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as a device report"):
        read_device_report(path)
    path.write_text("[]")
    with pytest.raises(InputError, match="at its top level"):
        read_device_report(path)
