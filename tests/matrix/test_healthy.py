"""Healthy bundles pass, whatever the encoder, the number of classes and the size of the input.

One case runs with the suite; `make matrix` runs them all, and writes docs/healthy.md.
"""

import dataclasses
import itertools
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from small_networks import ROOT, calibrated_unet
from test_main_job import export

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


def test_the_page_covers_the_whole_matrix() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (\S+) \| \d+ of", text, re.MULTILINE)) == set(ENCODERS)
    assert f"{len(ALL)} bundles, {4 * len(ALL)} files" in text
