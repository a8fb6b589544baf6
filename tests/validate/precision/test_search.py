"""Networks that float16 does not suit are exported with what needs it in float32."""

import copy
import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from coremltools.models.utils import load_spec
from rescaled_networks import rescaled
from rich.console import Console
from small_networks import SHARED, calibrated_unet
from torch import nn

from export.bundle import Bundle, read_bundle
from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages
from models.errors import InputError, ValidationFailed
from models.load import load_network, recognise_checkpoint
from validate.parity.run import judge
from validate.precision.gate import ParityGate
from validate.precision.survey import with_ranges
from validate.reference.network import load_reference
from validate.report.console import print_report
from validate.report.json_file import read_results
from validate.report.write import write_results
from validate.results.parity import Report

LAYERS = ("conv1.1 (conv)", "conv1.2 (relu)", "conv2.1 (conv)")


def exported(
    network: nn.Module,
    place: Path,
    tolerances: Path | None = None,
    size: int = 64,
    samples: Path | None = None,
    **chosen: object,
) -> tuple[Bundle, Path]:
    """Export an mlprogram through the gate, as the command does."""
    torch.save(network.state_dict(), place / "tiny.pt")
    stages = Stages(Console(width=200))

    def publish(report: Report, bundle: Bundle, place: Path) -> None:
        write_results(report, place, bundle)
        print_report(report, stages.console)

    gate = ParityGate(stages, publish, samples=samples, coreml="reference", tolerances=tolerances)
    settings = Settings(size=(size, size), formats=("mlprogram",), **chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
        return export(place / "tiny.pt", place / "build", settings, stages, gate)


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
    return calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))


def require_pins_said(bundle: Bundle, folder: Path, console: str) -> None:
    """The pins are float32 in the file, and named in its metadata, bundle, results and console."""
    (artifact,) = bundle.artifacts
    assert artifact.precision == "float16"
    assert read_bundle(folder).artifacts == bundle.artifacts
    names = {pin.operation for pin in artifact.pins}
    kinds = precisions(folder / artifact.path)
    assert {name for name, kind in kinds.items() if kind == "FLOAT32"} == names
    titles = [pin.title for pin in artifact.pins]
    assert "Parity failed" not in console
    assert "Parity holds" in console
    stored = load_spec(str(folder / artifact.path)).description.metadata.userDefined
    assert json.loads(stored["segport.kept_in_float32"]) == titles
    assert all(title in console for title in titles)
    ranges = read_results(folder).ranges
    assert {each.name for each in ranges.operations if each.pinned} == names
    assert ranges.weights
    assert not ranges.faulty
    assert f"float16 alone fails, so {len(titles)} operations" in " ".join(bundle.notes)


@pytest.mark.parametrize("form", ["int8", "palette4"])
def test_a_compressed_file_is_made_of_the_mended_program(plain, form, tmp_path, capsys):
    bundle, folder = exported(rescaled(plain, 1e5), tmp_path, compress=form, target="iOS16")
    whole, small = bundle.artifacts
    assert whole.pins == small.pins != ()
    assert small.compression.form == form
    assert [each.status for each in read_results(folder).results] == ["passed"] * 2
    assert read_results(folder).results[1].quality.proven
    assert f"float16 alone fails, so {len(whole.pins)} op" in " ".join(bundle.notes)
    kinds = precisions(folder / small.path)
    assert {name for name, kind in kinds.items() if kind == "FLOAT32"} == {
        pin.operation for pin in small.pins
    }


@pytest.mark.parametrize(
    ("factor", "reason"), [(1e5, "reach"), (1e-6, "are so small")], ids=["overflow", "underflow"]
)
def test_a_rescaled_network_keeps_the_scaled_layers_in_float32(
    plain, factor, reason, tmp_path, capsys
):
    bundle, folder = exported(rescaled(plain, factor, block=1), tmp_path)
    require_pins_said(bundle, folder, capsys.readouterr().out)
    pins = bundle.artifacts[0].pins
    assert {pin.title for pin in pins} <= {f"decoder.blocks.1.{each}" for each in LAYERS}
    assert pins[0].title == "decoder.blocks.1.conv1.1 (conv)"
    assert pins[0].reason.startswith(f"its values {reason}")
    assert judge(folder, coreml="reference").passed


def test_what_all_classes_share_keeps_the_head_and_the_decision_in_float32(plain, tmp_path, capsys):
    """The same softmax network, of whose differences float16 keeps hardly anything."""
    network = copy.deepcopy(plain)
    network.segmentation_head[0].bias.data.add_(1000)
    bundle, folder = exported(network, tmp_path)
    pins = bundle.artifacts[0].pins
    assert pins[0].title == "segmentation_head.0 (conv)"
    assert [pin.type for pin in pins] == ["conv", "reduce_argmax"]
    assert "chooses the mask from logits that stay in float32" in pins[1].reason
    assert "is not proven" in capsys.readouterr().out  # what the first verdict said
    (result,) = read_results(folder).results
    assert (result.status, result.total.decisive_flips) == ("passed", 0)
    assert min(each.iou for each in result.total.classes) > 0.98


def test_a_float32_program_where_no_choice_of_operations_helps(plain, tmp_path, capsys):
    limits = tmp_path / "limits.toml"
    limits.write_text('[mlprogram.float16]\nmin_psnr = 180.0\nreason = "More than float32 has."\n')
    bundle, folder = exported(plain, tmp_path, limits)
    (artifact,) = bundle.artifacts
    assert (artifact.precision, artifact.pins) == ("float32", ())
    assert set(precisions(folder / artifact.path).values()) == {"FLOAT32"}
    assert "so it is a float32 program" in " ".join(bundle.notes)
    assert "no choice of operations helps" in capsys.readouterr().out
    assert read_results(folder).passed


def test_what_fails_in_float32_too_is_not_handed_over(plain, tmp_path):
    limits = tmp_path / "limits.toml"
    row = 'min_psnr = 180.0\nreason = "More than float32 has."\n'
    limits.write_text(f"[mlprogram.float16]\n{row}[mlprogram.float32]\n{row}")
    with pytest.raises(ValidationFailed, match=r"build/tiny was not written.*tiny\.failed"):
        exported(plain, tmp_path, limits)
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["tiny.failed"]


def test_what_overflows_in_float32_is_refused_and_not_pinned(plain, tmp_path):
    network = rescaled(plain, 3e37, block=1)
    network.decoder.blocks[1].conv1[1].running_var.mul_(1e-4)
    with pytest.raises(InputError, match="PyTorch itself gives NaN or infinite logits"):
        exported(network, tmp_path)
    assert not (tmp_path / "build").exists()


def test_a_network_that_float16_suits_is_looked_at_too(plain, tmp_path):
    """On one picture, through the file: no second conversion."""
    bundle, folder = exported(plain, tmp_path)
    ranges = read_results(folder).ranges
    assert bundle.artifacts[0].pins == ()
    assert (ranges.pictures, ranges.weights, ranges.faulty) == (1, False, ())
    report = with_ranges(read_results(folder), folder, load_reference(bundle, folder))
    assert (report.ranges.pictures, report.ranges.weights) == (12, True)
    modules = {each.module for each in report.ranges.operations}
    assert {"encoder.bn1", "segmentation_head.0"} <= modules


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1e4, 1e-6], ids=["overflow", "underflow"])
def test_the_full_size_network_rescaled(factor, car_photos, tmp_path, capsys):
    checkpoints = SHARED / "checkpoints"
    found = sorted(checkpoints.glob("*.safetensors"))
    if not found:
        pytest.skip(f"no checkpoint is here: {checkpoints}")
    network = load_network(recognise_checkpoint(found[0]))
    samples = tmp_path / "photos"
    samples.mkdir()
    shutil.copy(car_photos / "car_04.jpg", samples)  # the first three only come close to 65,504
    bundle, folder = exported(rescaled(network, factor), tmp_path, size=256, samples=samples)
    require_pins_said(bundle, folder, capsys.readouterr().out)
    titles = [pin.title for pin in bundle.artifacts[0].pins]
    assert titles == [f"decoder.blocks.2.{layer}" for layer in LAYERS]
