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


def test_tables_are_shared_by_channels_where_the_target_has_such_tables() -> None:
    assert FORMS["palette4"].group("iOS18") == FORMS["palette6"].group("iOS26") == 16
    assert FORMS["palette4"].group("iOS17") is FORMS["palette8"].group("iOS18") is None
    assert FORMS["int8"].group("iOS18") is None
