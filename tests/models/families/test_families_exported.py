"""Every family through every format: parity holds, or the format says what it cannot do."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from seeded_states import State, nested_state
from test_double_conv import LEE as DOUBLE_LEE
from test_double_conv import STYLES, VGG
from test_main_job import export
from test_other_unets import LEE, lee_state, res_state
from test_trans_unet import trans_state

from export.bundle import read_bundle
from validate.report.json_file import read_results

FORMATS = "torchscript,mlprogram,neuralnetwork,onnx"
FAMILIES: dict[str, tuple[Callable[[], State], tuple[str, ...]]] = {
    "DoubleConv U-Net": (STYLES["enc-bottleneck"].state, ("--size", "64x48")),
    "original U-Net": (
        STYLES["jvanvugt-no-norm"].state,
        ("--padding", "valid", "--size", "100x92"),
    ),
    "nested U-Net++": (lambda: nested_state(3), ("--branch", "mean")),
    "Attention U-Net": (lambda: lee_state(*LEE["Attention U-Net"]), ()),
    "R2 U-Net": (lambda: lee_state(*LEE["R2 U-Net"]), ()),
    "R2Attention U-Net": (lambda: lee_state(*LEE["R2Attention U-Net"]), ()),
    "ResUNet": (res_state, ()),
    "TransUNet": (lambda: trans_state(grid=4), ()),
    "DoubleConv U-Net, bilinear": (lambda: STYLES["milesial"].state(up="none"), ()),
    "DoubleConv U-Net, VGG blocks": (lambda: VGG.state(up="none"), ()),
    "DoubleConv U-Net, up-sampled, then convolved": (lambda: DOUBLE_LEE.state(up="block"), ()),
}
QUICK = ("original U-Net",)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in FAMILIES]
)
def test_every_format_passes_parity(name: str, tmp_path: Path) -> None:
    make, options = FAMILIES[name]
    path = tmp_path / "net.pt"
    torch.save(make(), path)
    assert export(path, *options, formats=FORMATS) == 0
    bundle = read_bundle(tmp_path / "build" / "net")
    assert {artifact.format for artifact in bundle.artifacts} == set(FORMATS.split(","))
    results = read_results(tmp_path / "build" / "net" / "parity.json").results
    assert [result.status for result in results] == ["passed"] * 4
    if name == "original U-Net":
        margin = bundle.specification.margin
        assert bundle.shape[2:] == (92 - 2 * margin, 100 - 2 * margin)
