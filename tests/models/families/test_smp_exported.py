"""smp's architectures through the export command; `make compatibility` does it for all of them."""

from pathlib import Path

import pytest
import torch
from smp_networks import calibrated
from test_main_job import call

from export.bundle import read_bundle
from validate.report.json_file import read_results


def test_a_decoder_of_another_kind_below_a_timm_encoder_passes_parity(tmp_path: Path) -> None:
    network = calibrated("Linknet", "tu-tf_mobilenetv3_small_minimal_100")
    torch.save(network.state_dict(), tmp_path / "net.pt")
    out = tmp_path / "build"
    formats = ("--formats", "torchscript,mlprogram", "--size", "96x64")
    assert call("export", tmp_path / "net.pt", "--out", out, *formats) == 0
    specification = read_bundle(out / "net").specification
    assert specification.title == "smp Linknet, encoder tu-tf_mobilenetv3_small_minimal_100"
    results = read_results(out / "net" / "parity.json").results
    assert [result.status for result in results] == ["passed", "passed"]


def test_a_vision_transformer_is_exported_at_the_one_size_that_it_takes(tmp_path: Path) -> None:
    torch.save(calibrated("DPT", side=64, img_size=64).state_dict(), tmp_path / "net.pt")
    out = tmp_path / "build"
    words = ("--encoder", "tu-vit_tiny_patch16_224", "--formats", "torchscript")
    assert call("export", tmp_path / "net.pt", "--out", out, *words) == 0
    assert read_bundle(out / "net").shape[2:] == (64, 64)


def test_a_size_that_leaves_nothing_to_pool_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(calibrated("PAN", side=128).state_dict(), tmp_path / "net.pt")
    out = tmp_path / "build"
    words = ("--formats", "torchscript", "--size", "32")
    assert call("export", tmp_path / "net.pt", "--out", out, *words) == 2
    assert "smp PAN, encoder resnet18 does not take --size 32x32" in capsys.readouterr().err
