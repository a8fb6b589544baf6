"""What is asked of a compressed file is refused early, in one sentence."""

from pathlib import Path

import pytest
from test_main_job import bundles, export

from export.compression.forms import FORMS

REFUSED = {
    "form": (("--compress", "palette5"), "palette5 is not a form of weights: choose from int8, "),
    "target": (
        ("--compress", "palette4", "--target", "iOS15"),
        "--compress palette4 needs iOS16, and --target iOS15 cannot run such a file: take",
    ),
    "older": (("--compress", "int8", "--target", "iOS14"), "--compress int8 needs iOS16"),
    "formats": (
        ("--compress", "palette8", "--formats", "torchscript,onnx"),
        "--formats torchscript,onnx writes none: add mlprogram",
    ),
    "range": (("--compress", "int8", "--min-iou", "1.2"), "--min-iou 1.2 is out of range"),
    "nan": (("--compress", "int8", "--min-iou", "nan"), "--min-iou nan is out of range"),
    "alone": (("--min-iou", "0.9"), "--min-iou 0.9 is about a compressed file: add --compress"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_combination_is_refused_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    options, told = REFUSED[name]
    checkpoint = tmp_path / "net.pt"
    checkpoint.write_text("is not read")
    assert export(checkpoint, *options, formats="mlprogram") == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert bundles(checkpoint) == []


def test_small_weights_keep_more_bits() -> None:
    assert [FORMS["palette4"].bits_for(count) for count in (9_408, 36_864, 73_728)] == [None, 8, 4]
