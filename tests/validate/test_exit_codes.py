"""0, 1 and 2 mean the same for every command, and bad input is one sentence."""

import shutil
import sys

import pytest

from models.common.cli import run
from segport.__main__ import group

STATE = ".parity.unfinished.jsonl"


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs a command line: (exit code, standard error)."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["segport", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run(group, "segport")
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


@pytest.fixture
def bundle(tiny, tmp_path):
    """A copy of the tiny bundle, beside its checkpoint as in the original."""
    shutil.copytree(tiny[1], tmp_path / "build" / tiny[1].name)
    shutil.copy(tiny[1].parent.parent / "tiny.pt", tmp_path / "tiny.pt")
    return tmp_path / "build" / tiny[1].name


def test_a_bundle_that_agrees_is_0_with_its_checkpoint_and_without(bundle, photos, call):
    reference = bundle.parent / "tiny.npz"
    assert call("validate", bundle, "--samples", photos, "--write-reference", reference) == (
        0,
        "",
    )
    (bundle.parent.parent / "tiny.pt").unlink()
    assert call("validate", bundle, "--samples", photos, "--reference", reference) == (0, "")
    assert not (bundle / STATE).exists()


def test_the_report_goes_elsewhere_and_the_bundle_stays_as_it_was(bundle, photos, call):
    def state():
        return {path: path.stat().st_mtime_ns for path in (bundle, *bundle.rglob("*"))}

    before, out = state(), bundle.parent / "results"
    assert call("validate", bundle, "--samples", photos, "--out", out)[0] == 0
    assert {"report.html", "parity.json"} < {path.name for path in out.iterdir()}
    assert state() == before
    code, told = call("validate", bundle, "--out", bundle / "bundle.json" / "results")
    assert code == 2
    assert "cannot be written (Not a directory): choose another place with --out" in told


def test_a_bundle_that_disagrees_is_1(bundle, photos, call, monkeypatch):
    def broken(self, image):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("validate.runtimes.onnx_session.OnnxSession.run", broken)
    code, told = call("validate", bundle, "--samples", photos)
    assert code == 1
    assert told.startswith("Error: Parity failed: tiny.onnx does not compute")
    assert (bundle / "report.html").exists()


@pytest.mark.skipif(sys.platform == "darwin", reason="Core ML itself exists here")
def test_nothing_judged_is_1(export_bundle, photos, call):
    _, folder = export_bundle(("mlprogram",))
    code, told = call("validate", folder, "--samples", photos, "--coreml", "native")
    assert code == 1
    assert "Nothing was judged" in told


def bad_input(bundle, photos, tmp_path):
    """Command lines that cannot be meant."""
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "text.npz").write_text("no reference")
    (tmp_path / "empty").mkdir()
    nowhere = tmp_path / "nowhere"
    samples = ("--samples", photos)
    return [
        ("validate", nowhere),
        ("validate", tmp_path / "empty"),
        ("validate", bundle, "--samples", nowhere),
        ("validate", bundle, "--samples", tmp_path / "empty"),
        ("validate", bundle, *samples, "--checkpoint", nowhere),
        ("validate", bundle, *samples, "--checkpoint", tmp_path / "text.pt"),
        ("validate", bundle, *samples, "--reference", nowhere),
        ("validate", bundle, *samples, "--reference", tmp_path / "text.npz"),
        ("validate", bundle, *samples, "--write-reference", tmp_path / "text.pt"),
        ("validate", bundle, *samples, "--write-reference", nowhere / "x.npz"),
        ("validate", bundle, "--coreml", "gpu"),
        ("validate", bundle, "--colour", "red"),
        ("validate",),
        ("device-report", nowhere),
        ("ios-demo", nowhere),
        ("export", nowhere),
        ("export", tmp_path / "text.pt"),
        ("export", tmp_path / "text.pt", "--size", "big"),
        ("inspect", nowhere),
        ("inspect", tmp_path / "text.pt"),
    ]


def test_bad_input_is_2_and_a_sentence(bundle, photos, call, tmp_path):
    for words in bad_input(bundle, photos, tmp_path):
        code, told = call(*words)
        assert code == 2, (words, told)
        assert "Error: " in told, words
        assert "Traceback" not in told
        assert told.splitlines()[-1].rstrip(")").endswith((".", "?")), words
    assert not (bundle / "parity.json").exists()
