"""The commands in terminals of 80 and 120 columns, without colour, and in a pipe."""

import io
import os
import re
import subprocess
import sys

import pytest
from made_reports import made_drift, made_report
from rich.console import Console
from terminals import COLOUR, ROOT, broken_by_the_terminal, in_terminal, screen

from validate.images.samples import Skipped
from validate.predict.areas import Area, PredictedPhoto, Predictions
from validate.predict.console import print_areas
from validate.report.console import print_drift, print_report

HEADER = "format runtime PSNR largest error decisive flips verdict"


@pytest.fixture(scope="module")
def judged(export_bundle):
    """A bundle whose checkpoint lies near it."""
    return export_bundle(("torchscript",))[1]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_report_fits_whatever_it_says(columns):
    console = Console(file=io.StringIO(), width=columns)
    print_report(made_report(broken=True), console)
    print_drift(made_drift(names=("encoder.layer4.0.downsample.1", "decoder.blocks.0")), console)
    lines = console.file.getvalue().splitlines()
    assert HEADER in [" ".join(line.split()) for line in lines]
    assert [line for line in lines if len(line) > columns] == []
    assert "made.onnx (ONNX Runtime) failed:" in lines  # and each reason in a line of its own
    assert any("(encoder.layer4.0.downsample.1.1)" in line for line in lines)
    assert any(re.search(r"ONNX Runtime +\S+ dB +\S+ % +[\d,]+ +failed *$", line) for line in lines)


def test_areas_fit():
    areas = tuple(Area(f"a rather long label {n}", 50 - n, 5.0) for n in range(9))
    photo = PredictedPhoto("photo.jpg", ("a",), "b", 10, 10, areas, None, None)
    skipped = (Skipped("photos/inside", "a folder, whose photos are left out: name it too"),)
    console = Console(file=io.StringIO(), width=80)
    made = Predictions("b", "b.onnx", "ONNX Runtime", False, (photo,), skipped, ())
    print_areas(made, console)
    lines = console.file.getvalue().splitlines()
    assert broken_by_the_terminal(lines, 80) == []
    assert " ".join(line.strip() for line in lines).count("a rather long label") == 9


@pytest.mark.parametrize("colour", [True, False])
def test_nothing_is_broken_in_a_terminal(judged, photos, tmp_path, colour):
    words = ("validate", judged, "--samples", photos, "--out", tmp_path / "r")
    code, written = in_terminal(words, 80, **({} if colour else {"NO_COLOR": "1"}))
    lines = screen(written)
    assert code == 0
    assert HEADER in [" ".join(line.split()) for line in lines]
    assert broken_by_the_terminal(lines, 80) == []
    assert (COLOUR.search(written) is not None) == colour


def test_a_pipe_gets_short_lines_and_no_controls(judged, photos, tmp_path):
    words = ("validate", judged, "--samples", photos, "--out", tmp_path / "r")
    told = subprocess.run(
        [sys.executable, "-m", "segport", *map(str, words)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "COLUMNS"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert HEADER in [" ".join(line.split()) for line in told.splitlines()]
    assert broken_by_the_terminal(told.splitlines(), 100) == []
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "words",
    [
        ("export", "samples/README.md"),
        ("export", "no-such-checkpoint-of-that-name-here.pt", "--size", "64"),
        ("export", "x.pt", "--target", "iOS12"),
        ("device-report", "samples/README.md"),
    ],
)
def test_errors_break_between_words(words):
    code, written = in_terminal(words, 60)
    lines = screen(written)
    assert code == 2
    assert broken_by_the_terminal(lines, 60) == []
    assert "Error: " in written


@pytest.mark.parametrize("command", ["export", "validate", "predict"])
def test_help_fits(command):
    code, written = in_terminal((command, "--help"), 80)
    assert code == 0
    assert broken_by_the_terminal(screen(written), 80) == []
