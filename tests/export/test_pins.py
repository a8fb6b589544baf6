"""Networks that float16 does not suit are exported with what needs it in float32."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from coremltools.models.utils import load_spec
from rescaled_networks import rescaled
from rich.console import Console
from small_networks import calibrated_unet

from export.bundle import Bundle, read_bundle
from export.pipeline import export
from export.settings import Settings
from models.command_line import Stages
from validate.gate import Gate
from validate.parity import judge

BLOCK = "decoder.blocks.2"


def exported(network: torch.nn.Module, place: Path) -> tuple[Bundle, Path]:
    """Export through the gate, as the command does."""
    torch.save(network.state_dict(), place / "tiny.pt")
    stages = Stages(Console(width=200))
    gate = Gate(None, "reference", None, stages)
    settings = Settings(size=(64, 64), formats=("mlprogram",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
        return export(place / "tiny.pt", place / "build", settings, stages, gate.judge, gate)


def precisions(package: Path) -> dict[str, str]:
    """What every convolution of a package is declared to give: name → FLOAT16 or FLOAT32."""
    types = {10: "FLOAT16", 11: "FLOAT32"}
    program = load_spec(str(package)).mlProgram
    (block,) = program.functions["main"].block_specializations.values()
    return {
        output.name.removesuffix("_cast_fp16"): types[output.type.tensorType.dataType]
        for operation in block.operations
        for output in operation.outputs
        if operation.type in ("conv", "relu")
    }


@pytest.fixture(scope="module")
def plain():
    return calibrated_unet()


@pytest.mark.parametrize(
    ("factor", "expected", "reason"),
    [
        (1e5, ["conv1.1 (conv)", "conv1.2 (relu)", "conv2.1 (conv)"], "beyond 65,504"),
        (1e-6, ["conv1.1 (conv)", "conv1.2 (relu)", "conv2.1 (conv)"], "so small"),
    ],
)
def test_a_rescaled_network_keeps_the_scaled_layers_in_float32(
    plain, factor, expected, reason, tmp_path, capsys
):
    bundle, folder = exported(rescaled(plain, factor), tmp_path)
    (artifact,) = bundle.artifacts
    assert artifact.precision == "float16"
    assert [pin.title for pin in artifact.pins] == [f"{BLOCK}.{each}" for each in expected]
    assert reason in artifact.pins[0].reason
    kinds = precisions(folder / artifact.path)
    assert {name for name, kind in kinds.items() if kind == "FLOAT32"} == {
        pin.operation for pin in artifact.pins
    }
    assert read_bundle(folder).artifacts == bundle.artifacts
    console = capsys.readouterr().out
    assert all(pin.title in console for pin in artifact.pins)
    stored = load_spec(str(folder / artifact.path)).description.metadata.userDefined
    assert json.loads(stored["segport.kept_in_float32"]) == [pin.title for pin in artifact.pins]
    assert judge(folder, coreml="reference").passed
