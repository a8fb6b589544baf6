"""Healthy bundles pass, whatever the encoder, the number of classes and the size of the input.

One case runs with the suite; `make matrix` runs them all, and writes docs/healthy.md.
"""

import dataclasses
import itertools
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from small_networks import ROOT, calibrated_unet
from test_main_job import export
from torch import nn

from validate.report.json_file import read_results
from validate.results.parity import ArtifactResult

FORMATS = "torchscript,mlprogram,neuralnetwork,onnx"
PAGE = ROOT / "docs" / "healthy.md"
ENCODERS = (
    "resnet18",
    "resnet34",
    "vgg11_bn",
    "densenet121",
    "mobilenet_v2",
    "efficientnet-b0",
    "mit_b0",
    "tu-regnety_002",
)
CLASSES = (1, 2, 16)
SIZES = ((64, 64), (96, 64), (160, 224), (256, 256))


@dataclass(frozen=True)
class Case:
    """A network, untrained but calibrated, and the `(width, height)` it is exported for."""

    encoder: str
    classes: int
    size: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.encoder}, {self.classes} classes, {self.size[0]}x{self.size[1]}"


ALL = tuple(Case(*each) for each in itertools.product(ENCODERS, CLASSES, SIZES))
QUICK = (Case("efficientnet-b0", 16, (96, 64)),)


def used(result: ArtifactResult) -> float:
    """The largest part of what its tolerance allows that a result uses up; 1 is the limit."""
    assert result.tolerance is not None
    assert result.total is not None
    errors = [each.metrics.relative_error for each in result.pictures]
    # A PSNR that is 20 dB above its limit is a tenth of the error allowed.
    noise = 10 ** ((result.tolerance.min_psnr - (result.total.psnr or 999)) / 20)
    return max(max(errors) / result.tolerance.max_error, noise)


@pytest.mark.parametrize("case", ALL if "MATRIX_TABLE" in os.environ else QUICK, ids=str)
def test_a_healthy_bundle_passes_in_every_format(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save(calibrated_unet(case.encoder, case.classes).state_dict(), path)
    size = f"{case.size[0]}x{case.size[1]}"
    code = export(path, "--encoder", case.encoder, formats=FORMATS, size=size)
    place = tmp_path / "build" / ("net" if code == 0 else "net.failed")
    results = read_results(place).results
    if "MATRIX_TABLE" in os.environ:
        rows = [[result.format, result.status, used(result)] for result in results]
        with Path(os.environ["MATRIX_TABLE"]).open("a", encoding="utf-8") as table:
            table.write(json.dumps([dataclasses.astuple(case), rows]) + "\n")
    assert [result.status for result in results] == ["passed"] * 4
    assert all(result.total and result.total.decisive_flips == 0 for result in results)


def scaled(network: nn.Module, factor: float) -> None:
    for tensor in network.segmentation_head[0].parameters():
        tensor.mul_(factor)


def weakened(network: nn.Module) -> None:
    for tensor in network.segmentation_head[0].parameters():
        tensor[-1].div_(200)


SCALES: Mapping[str, tuple[int, str, Callable[[nn.Module], object]]] = {
    "3 added to every class": (2, "softmax", lambda net: net.segmentation_head[0].bias.add_(3)),
    "1,000 added to every class": (
        2,
        "softmax",
        lambda net: net.segmentation_head[0].bias.add_(1000),
    ),
    "logits of 1e-4": (2, "softmax", lambda net: scaled(net, 1e-5)),
    "logits beyond float16": (2, "softmax", lambda net: scaled(net, 1e5)),
    "classes that tie": (2, "softmax", lambda net: scaled(net, 0)),
    "independent channels of very different scale": (3, "sigmoid", weakened),
}


@pytest.mark.parametrize("what", [pytest.param(each, marks=pytest.mark.slow) for each in SCALES])
def test_a_healthy_bundle_passes_on_any_scale_of_its_logits(what: str, tmp_path: Path) -> None:
    """Where float16 cannot hold the differences, the export keeps what it needs in float32."""
    classes, activation, change = SCALES[what]
    network = calibrated_unet(classes=classes)
    with torch.no_grad():
        change(network)
    torch.save(network.state_dict(), tmp_path / "net.pt")
    options = ("--activation", activation)
    assert export(tmp_path / "net.pt", *options, formats=FORMATS, size="64x64") == 0
    results = read_results(tmp_path / "build" / "net").results
    assert [result.status for result in results] == ["passed"] * 4


def test_the_page_covers_the_whole_matrix() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (\S+) \| \d+ of", text, re.MULTILINE)) == set(ENCODERS)
    assert f"{len(ALL)} bundles, {4 * len(ALL)} files" in text
