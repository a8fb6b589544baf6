"""No healthy export says anything that is not so, whatever it is asked for."""

import warnings
from pathlib import Path

import pytest
import torch
from rich.console import Console
from small_networks import calibrated_unet

from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages
from models.custom.option import parse_named
from models.specification import Choices
from validate.metadata.check import check_statements
from validate.reference.network import load_reference

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
SIGMOID = {"choices": Choices(activation="sigmoid")}
TWELVE = tuple(f"Klasse {number} (größer)" for number in range(12))
CASES = {
    "one class, iOS 14": ({"classes": 1}, "neuralnetwork", {"target": "iOS14"}),
    "twelve classes, iOS 16": (
        {"classes": 12},
        "torchscript mlprogram",
        {"labels": TWELVE, "licence": "MIT", "author": "Ärztin & Söhne", "target": "iOS16"},
    ),
    "mean and deviation, iOS 18": ({}, "mlprogram", {**IMAGENET, "target": "iOS18"}),
    "deviation alone, iOS 17": ({}, "mlprogram", {"std": (0.2, 0.2, 0.2), "target": "iOS17"}),
    "independent channels": ({"classes": 3}, "mlprogram neuralnetwork", SIGMOID),
    "independent channels, mean and deviation": ({"classes": 3}, "onnx", {**SIGMOID, **IMAGENET}),
    "grey": ({"in_channels": 1}, "mlprogram neuralnetwork", {"mean": (0.5,), "std": (0.25,)}),
    "four channels": ({"in_channels": 4}, "mlprogram neuralnetwork", {"mean": (0.5,) * 4}),
}
CODE = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.gain = nn.Parameter(torch.full((8, 1, 1), 0.98))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.norm(self.first(x)) * 0.97
        x = F.conv2d(x, self.second.weight - 0.01 * self.second.weight.mean(), padding=1)
        x = 1.03 * (x * self.gain).relu() + 0.001
        return self.head(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
"""


def sentences(checkpoint: Path, formats: str, **settings) -> list[str]:
    """Everything that the check finds in an export of `checkpoint`."""
    asked = Settings(size=(64, 64), formats=tuple(formats.split()), **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
        out, stages = checkpoint.parent / "build", Stages(Console(quiet=True))
        bundle, folder = export(checkpoint, out, asked, stages, lambda *given: given[0])
    deployable = load_reference(bundle, folder, module=asked.module)
    return [each.sentence for each in check_statements(bundle, folder, deployable)]


@pytest.mark.parametrize("case", CASES)
def test_a_healthy_export_passes(case: str, tmp_path: Path) -> None:
    arguments, formats, settings = CASES[case]
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8), **arguments)
    torch.save(network.state_dict(), tmp_path / "net.pt")
    assert sentences(tmp_path / "net.pt", formats, **settings) == []


def test_factors_in_the_code_of_an_own_network_pass(tmp_path: Path) -> None:
    """Converters may fold them into weights that are then near the checkpoint's, and not equal."""
    (tmp_path / "net.py").write_text(CODE)
    scope: dict[str, type] = {}
    exec(CODE, scope)
    torch.manual_seed(5)
    torch.save(scope["Net"]().state_dict(), tmp_path / "net.pt")
    module = parse_named(f"{tmp_path / 'net.py'}:Net", None)
    formats = "torchscript mlprogram neuralnetwork onnx"
    assert sentences(tmp_path / "net.pt", formats, module=module) == []
