"""A file of tolerances takes the place of the table's, is recorded, and cannot be nonsense."""

import pytest

from models.common.hashing import sha256_of
from models.errors import InputError
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import TABLE, tolerance_for
from validate.metrics.tolerances_file import read_tolerances
from validate.parity.run import judge
from validate.report.json_file import read_results, to_json

FP16 = ("mlprogram", "float16")


def file(tmp_path, text):
    path = tmp_path / "our tolerances.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_row_does_not_say_stays_as_the_table_has_it(tmp_path):
    path = file(tmp_path, '[mlprogram.float16]\nmin_psnr = 40\nreason = "a drone is far away"\n')
    given = read_tolerances(path)
    tolerance = tolerance_for(FP16, Noise(0.2, 20.0), given.rows)  # never widened
    assert (tolerance.min_psnr, tolerance.reason) == (40, "a drone is far away")
    assert tolerance.max_error == TABLE[FP16].max_error
    assert tolerance_for(("onnx", "float32"), None, given.rows) == TABLE["onnx", "float32"]


@pytest.mark.parametrize(
    "text",
    [
        "max_error = 0.1",
        "[onnx.float32]\nmax_error = 0.1",  # without a reason
        '[onnx.float32]\nreason = "nothing changed"',
        '[onnx.float32]\nmax_error = 0\nreason = "x"',
        '[onnx.float32]\nmax_error = nan\nreason = "x"',
        '[onnx.float32]\nmin_iou = 1.1\nreason = "x"',
        '[onnx.float32]\nmin_psnr = -inf\nreason = "x"',
        '[onnx.float32]\nmin_psnr = "low"\nreason = "x"',
        '[onnx.float32]\nmaximum = 1\nreason = "x"',
        '[onnx.float16]\nmax_error = 0.1\nreason = "x"',  # no such row
        '[tflite.float16]\nmax_error = 0.1\nreason = "x"',
        "[onnx",
        "",
    ],
)
def test_nonsense_is_refused_with_the_files_name(tmp_path, text):
    with pytest.raises(InputError, match=r"our tolerances\.toml"):
        read_tolerances(file(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read as tolerances"):
        read_tolerances(tmp_path / "none.toml")


def test_a_stricter_file_fails_a_healthy_bundle_and_is_recorded(tiny, photos, tmp_path):
    path = file(tmp_path, '[onnx.float32]\nmin_psnr = 200\nreason = "bits, please"\n')
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    report = judge(tiny[1], checkpoint=checkpoint, samples=photos, tolerances=path)
    failed = [result.format for result in report.results if result.status == "failed"]
    assert failed == ["onnx"]
    assert report.tolerances.sha256 == sha256_of(path)
    (tmp_path / "parity.json").write_text(to_json(report), encoding="utf-8")
    assert read_results(tmp_path).tolerances == report.tolerances
