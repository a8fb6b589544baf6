"""A compressed file through the commands: exported, judged, reported, and used where asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import ROOT, calibrated_unet
from test_main_job import call, export

from export.bundle import read_bundle
from export.bundle_consistency import SMALL
from models.common.json_codec import plain, revive
from validate.metrics.mask_quality import MaskCounts
from validate.parity.artifact import ArtifactFindings
from validate.report.json_file import read_results

CASES = [("int8", "iOS18"), ("palette8", "iOS16"), ("palette6", "iOS18"), ("palette4", "iOS16")]


def exported(folder: Path, form: str, *options: str) -> tuple[int, Path]:
    """The exit code of an export that compresses, and where its bundle goes."""
    path = folder / "breakage.pt"
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))
    torch.save(network.state_dict(), path)
    code = export(path, "--compress", form, *options, formats="mlprogram")
    return code, folder / "build" / "breakage"


@pytest.mark.parametrize(("form", "target"), CASES)
def test_each_form_is_smaller_and_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, target: str
) -> None:
    code, folder = exported(tmp_path, form, "--min-iou", "0", "--target", target)
    assert code == 0
    described = {each.key: each for each in read_bundle(folder).artifacts}
    assert described[SMALL].compression.form == form
    assert described[SMALL].size < 0.6 * described["mlprogram"].size
    small = read_results(folder / "parity.json").results[1]
    assert (small.status, small.quality.form, small.quality.proven) == ("passed", form, True)
    assert small.total.psnr > 60
    shown = capsys.readouterr().out
    assert f"breakage.small.mlpackage ({form}" in shown
    assert f"float16, {form}, {target}" in shown
    for report in ("report.html", "parity.md"):
        text = (folder / report).read_text(encoding="utf-8")
        assert "A compressed file is judged twice" in text
        assert form in text


def test_the_target_is_the_oldest_that_runs_it_where_none_is_given(tmp_path: Path) -> None:
    _, folder = exported(tmp_path, "int8", "--min-iou", "0")
    assert {each.target for each in read_bundle(folder).artifacts} == {"iOS16"}


def test_masks_worse_than_promised_are_not_handed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, folder = exported(tmp_path, "palette4", "--min-iou", "1")
    assert code == 1 and not folder.exists()
    assert "Masks are not as promised: breakage.small.mlpackage computes" in capsys.readouterr().err
    assert folder.with_name("breakage.failed").is_dir()


def test_it_paints_where_it_is_asked_for_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = exported(tmp_path, "palette4", "--min-iou", "0")
    photo = next((ROOT / "samples").glob("*.jpg"))
    for formats, painted in (((), "breakage.mlpackage"), (("--formats", "small"), "small.mlp")):
        out = tmp_path / f"painted{len(formats)}"
        assert call("predict", folder, photo, "--out", out, *formats) == 0
        assert painted in json.dumps(json.loads((out / "areas.json").read_text()))
    assert call("predict", folder, photo, "--formats", "tiny") == 2
    assert "choose from torchscript, mlprogram, neuralnetwork, onnx, small" in (
        capsys.readouterr().err
    )


def findings(masks: MaskCounts | None) -> ArtifactFindings:
    return ArtifactFindings(masks=masks)


@pytest.mark.parametrize("combine", [lambda a, b: a + b, lambda a, b: b + a])
def test_counts_of_masks_outlive_an_interruption(
    combine: Callable[[ArtifactFindings, ArtifactFindings], ArtifactFindings],
) -> None:
    counts = MaskCounts(np.ones((2, 4), np.int64), np.zeros((2, 4), np.int64))
    kept = revive(ArtifactFindings, json.loads(json.dumps(plain(findings(counts)))))
    assert (combine(kept, findings(counts)).masks.areas == 2).all()
    assert (combine(kept, findings(None)).masks.areas == 1).all()
