"""A run that is stopped keeps what is done, and the same run goes on from there."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import validate.images.batches
from models.errors import InputError
from models.specification import InputContract
from validate.parity.probes import probe_pictures
from validate.parity.run import judge
from validate.runtimes.eager import Eager
from validate.runtimes.onnx_session import OnnxSession

ROOT = Path(__file__).parents[3]
STATE = ".parity.unfinished.jsonl"


@pytest.fixture
def bundle(tiny, tmp_path):
    """A copy of the tiny bundle, beside its checkpoint as in the original."""
    shutil.copytree(tiny[1], tmp_path / "build" / tiny[1].name)
    shutil.copy(tiny[1].parent.parent / "tiny.pt", tmp_path / "tiny.pt")
    return tmp_path / "build" / tiny[1].name


@pytest.fixture
def nine(tmp_path):
    """Nine pictures, of which the third is none."""
    folder = tmp_path / "nine"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(9):
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "2.png").write_text("no picture")
    return folder


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Two pictures in a batch, although all would fit into memory."""
    monkeypatch.setattr(validate.images.batches, "STEP", 2)
    monkeypatch.setattr(validate.images.batches, "BATCH_BYTES", 400_000)


def stopped_at(monkeypatch, call):
    """Let ONNX Runtime, the last to see a picture, be stopped at its `call`th sample."""
    calls = {}
    run = OnnxSession.run
    probes = {each.image.tobytes() for each in probe_pictures(InputContract(64, 64))}

    def interrupt(self, image):
        if image.tobytes() not in probes:
            calls[image.tobytes()] = image  # the first one is run again at the end
        if len(calls) == call:
            raise KeyboardInterrupt
        return run(self, image)

    monkeypatch.setattr(OnnxSession, "run", interrupt)
    return calls


def plainly(report):
    """A report without what a clock or rounding of sums decides."""
    results = [replace(each, milliseconds=None, ratio=None) for each in report.results]
    return replace(report, results=tuple(results), created="", seconds=0, milliseconds=0)


def test_the_same_run_goes_on_and_finds_the_same(bundle, nine, monkeypatch):
    whole = judge(bundle, samples=nine)
    told, seen = [], []
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped_at(patch, 6)
        judge(bundle, samples=nine, tell=told.append)
    assert told == ["5 of 9 pictures are done and kept: the same command goes on from there."]
    assert (bundle / STATE).exists()
    calls = stopped_at(monkeypatch, 0)
    report = judge(bundle, samples=nine, tell=told.append, progress=lambda *now: seen.append(now))
    assert told[1:] == ["Going on after 5 of 9 pictures of an earlier run."]
    assert len(calls) == 4
    assert seen[0] == ("PyTorch", 5 * 5 + 1, 9 * 5)
    assert plainly(report) == plainly(whole)
    assert report.samples.used == 8
    assert [each.name for each in report.samples.skipped] == ["2.png"]
    assert not (bundle / STATE).exists()
    for one, other in zip(whole.shown, report.shown, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.masks.keys() == other.masks.keys()
        for index in one.masks:
            np.testing.assert_array_equal(one.masks[index], other.masks[index])
    assert len(report.shown) == 8


def stop(bundle, nine, monkeypatch, **options):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped_at(patch, 6)
        judge(bundle, samples=nine, **options)


def pictures_run(bundle, nine, monkeypatch, **options):
    """Return how many pictures the next run takes, and what it says."""
    told = []
    with monkeypatch.context() as patch:
        calls = stopped_at(patch, 0)
        judge(bundle, samples=nine, tell=told.append, **options)
    return len(calls), told


def test_a_run_on_other_photos_starts_afresh(bundle, nine, monkeypatch):
    stop(bundle, nine, monkeypatch)
    (nine / "0.png").touch()
    taken, told = pictures_run(bundle, nine, monkeypatch)
    assert taken == 8
    assert told == [
        "An unfinished run on other pictures, files or options was there: starting afresh."
    ]


def test_a_run_with_other_options_starts_afresh(bundle, nine, monkeypatch):
    stop(bundle, nine, monkeypatch)
    taken, told = pictures_run(bundle, nine, monkeypatch, coreml="native")
    assert (taken, len(told)) == (8, 1)


def test_a_run_of_another_bundle_starts_afresh(bundle, nine, monkeypatch):
    stop(bundle, nine, monkeypatch)
    document = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(document | {"author": "Someone"}))
    taken, told = pictures_run(bundle, nine, monkeypatch)
    assert (taken, len(told)) == (8, 1)


def test_a_run_against_a_stored_reference_goes_on_too(bundle, nine, monkeypatch, tmp_path):
    reference = tmp_path / "nine.npz"
    judge(bundle, samples=nine, write_reference=reference)
    assert not (bundle / STATE).exists()
    stop(bundle, nine, monkeypatch, reference=reference)
    monkeypatch.setattr(Eager, "run", None)
    taken, _ = pictures_run(bundle, nine, monkeypatch, reference=reference)
    assert taken == 4


@pytest.mark.parametrize("damage", ["cut", "garbage", "other fields"])
def test_a_damaged_line_is_done_again(bundle, nine, monkeypatch, damage):
    stop(bundle, nine, monkeypatch)
    lines = (bundle / STATE).read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    bad = {"cut": lines[2][:-50], "garbage": b"\x00\xff\n", "other fields": b'{"consumed": 5}\n'}
    (bundle / STATE).write_bytes(lines[0] + lines[1] + bad[damage])
    whole = judge(bundle, samples=nine)
    assert whole.samples.used == 8
    stop(bundle, nine, monkeypatch)
    (bundle / STATE).write_bytes(lines[0] + lines[1] + bad[damage])
    taken, told = pictures_run(bundle, nine, monkeypatch)
    assert taken == 6
    assert told == ["Going on after 2 of 9 pictures of an earlier run."]


def test_a_file_that_failed_before_the_stop_has_still_failed(bundle, nine, monkeypatch):
    from validate.runtimes.torchscript import TorchScript

    def broken(self, image):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(TorchScript, "run", broken)
        stop(bundle, nine, monkeypatch)
    report = judge(bundle, samples=nine)
    failed = [result for result in report.results if result.status == "failed"]
    assert [(each.format, each.reasons) for each in failed] == [
        ("torchscript", ("it does not run on 0.png: out of luck",))
    ]


def test_a_stop_before_the_first_batch_leaves_nothing(bundle, nine, monkeypatch):
    told = []
    with pytest.raises(KeyboardInterrupt):
        stopped_at(monkeypatch, 1)
        judge(bundle, samples=nine, tell=told.append)
    assert told == []
    assert not (bundle / STATE).exists()


def test_two_runs_of_one_bundle_do_not_mix(bundle, nine, monkeypatch):
    def second(self, image):
        judge(bundle, samples=nine)

    monkeypatch.setattr(Eager, "run", second)
    with pytest.raises(InputError, match="is being judged by another process"):
        judge(bundle, samples=nine)


def test_a_small_set_writes_no_state(bundle, nine, monkeypatch):
    monkeypatch.setattr(validate.images.batches, "BATCH_BYTES", 64 << 20)
    with pytest.raises(KeyboardInterrupt):
        stopped_at(monkeypatch, 6)
        judge(bundle, samples=nine)
    assert not (bundle / STATE).exists()


def test_ctrl_c_on_the_command_line_keeps_what_is_done(bundle, tmp_path):
    photos = tmp_path / "many"
    photos.mkdir()
    rng = np.random.default_rng(2)
    small = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for number in range(1500):  # more than one batch at 64×64
        Image.fromarray(np.roll(small, number, axis=0)).save(photos / f"{number:04}.png")
    command = [sys.executable, "-m", "segport", "validate", str(bundle), "--samples", str(photos)]
    run = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 600
    while not _lines(bundle / STATE) > 1 and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=600)
    assert run.returncode == 130, err
    assert err.strip() == "Stopped. What was there before is untouched."
    kept = re.search(r"(\d[\d,]*) of 1,500 pictures are done and kept", out)
    assert kept is not None, out
    assert not (bundle / "parity.json").exists()
    assert _lines(bundle / STATE) == 1 + int(kept[1].replace(",", "")) // 16


def _lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0
