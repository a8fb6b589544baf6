"""`--drift` on the command line, in the results on disk and in words."""

import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from made_reports import made_drift, made_report
from onnx import numpy_helper
from rich.console import Console
from sealed_bundles import sealed

from export.bundle import read_bundle
from models.errors import InputError, ValidationFailed
from segport.__main__ import group
from validate.coreml.reader.specification import Model_pb2
from validate.report.console import print_drift
from validate.report.json_file import read_results, to_json
from validate.report.markdown import to_markdown


def run(*arguments):
    """What `segport validate` prints and raises."""
    return CliRunner().invoke(group, ["validate", *map(str, arguments)])


@pytest.fixture
def bundle(tiny, tmp_path):
    """A copy of the tiny bundle, beside its checkpoint."""
    return shutil.copytree(tiny[1], tmp_path / "bundle")


@pytest.fixture
def checkpoint(tiny):
    return tiny[1].parent.parent / "tiny.pt"


def test_drift_is_not_offered_for_a_file_that_does_not_load(bundle, checkpoint, photos):
    model = (
        bundle / next(bundle.glob("*.mlpackage")) / "Data" / "com.apple.CoreML" / "model.mlmodel"
    )
    content = Model_pb2.Model.FromString(model.read_bytes())
    content.specificationVersion = 4
    model.write_bytes(content.SerializeToString())
    sealed(bundle, "mlprogram")
    result = run(bundle, "--checkpoint", checkpoint, "--samples", photos)
    assert isinstance(result.exception, ValidationFailed)
    assert "version is 4 (iOS 13), but an ML program needs 6" in " ".join(result.output.split())
    assert "--drift" not in str(result.exception)


def test_a_healthy_bundle_passes_and_has_its_drift_on_disk(bundle, checkpoint, photos):
    sealed(bundle, "torchscript", "mlprogram", "neuralnetwork")
    result = run(bundle, "--checkpoint", checkpoint, "--samples", photos, "--drift")
    assert result.exception is None, result.output
    drifts = read_results(bundle).drift
    assert [each.format for each in drifts] == ["mlprogram", "neuralnetwork"]
    for drift in drifts:
        assert drift.first is None
        assert len(drift.rows) >= 0.95 * drift.operations
        assert f"No operation of {drift.path} departs" in result.output
        assert drift.picture in {path.name for path in photos.iterdir()}
    assert "Drift, operation by operation" in (bundle / "report.html").read_text()


def test_a_broken_file_fails_with_its_module_named(bundle, checkpoint, photos):
    sealed(bundle, "onnx")
    path = bundle / read_bundle(bundle).artifacts[0].path
    model = onnx.load(path)
    name = "network.decoder.blocks.1.conv2.0.weight"
    tensor = next(each for each in model.graph.initializer if each.name == name)
    values = np.ascontiguousarray(-numpy_helper.to_array(tensor))
    tensor.CopyFrom(numpy_helper.from_array(values, name))
    onnx.save(model, path)
    sealed(bundle, "onnx")
    result = run(bundle, "--checkpoint", checkpoint, "--samples", photos, "--drift")
    assert isinstance(result.exception, ValidationFailed)
    (drift,) = read_results(bundle).drift
    assert drift.rows[drift.first.index].module == "decoder.blocks.1.conv2.1"
    (weight,) = [each for each in drift.first.weights if each.differs]
    assert weight.source == "decoder.blocks.1.conv2.0 + decoder.blocks.1.conv2.1"
    assert weight.difference == pytest.approx(2.0, rel=1e-4)
    assert "departs from PyTorch at Conv" in result.output
    assert "has the opposite sign" in (bundle / "parity.md").read_text()


@pytest.mark.parametrize("option", ["--drift", "--ranges"])
def test_a_stored_reference_has_no_intermediate_values(option, bundle, tmp_path):
    result = run(bundle, "--reference", tmp_path / "reference.npz", option)
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(f"{option} needs the network itself")
    assert "holds its outputs only" in str(result.exception)
    assert not (bundle / "parity.json").exists()


def test_ranges_are_refused_before_anything_runs_where_nothing_is_rounded(bundle):
    sealed(bundle, "torchscript", "onnx")
    result = run(bundle, "--ranges")
    assert isinstance(result.exception, InputError)
    assert "holds no Core ML file that is computed in float16" in str(result.exception)
    assert not (bundle / "parity.json").exists()


def test_drift_survives_the_file(tmp_path):
    report = replace(made_report(), drift=made_drift())
    (tmp_path / "parity.json").write_text(to_json(report))
    assert read_results(tmp_path).drift == report.drift


def test_an_error_that_is_no_number_is_stored_and_told(tmp_path):
    row = replace(made_drift()[0].rows[0], own=1e9, accumulated=1e9)
    drift = replace(made_drift()[0], rows=(row,), first=replace(made_drift()[0].first, index=0))
    text = to_json(replace(made_report(), drift=(drift,)))
    assert json.loads(text)["drift"][0]["rows"][0]["own"] == 1e9
    assert "no number" in to_markdown(replace(made_report(), drift=(drift,)))


@pytest.mark.parametrize("terminal", [True, False])
def test_the_console_names_what_departs_and_what_cannot_be_followed(terminal):
    console = Console(force_terminal=terminal, width=100, record=True, quiet=False)
    with console.capture() as captured:
        print_drift(made_drift(), console)
    text = captured.get()
    assert "departs from PyTorch at conv input_25_cast_fp16 (decoder.blocks.0.25)" in text
    assert "Accumulated error of its inputs: input_24_cast_fp16 (encoder.layer1.24) 2 %" in text
    assert "40 of 41 operations have a counterpart in PyTorch" in text
    assert "No operation of made.onnx departs beyond float32's rounding" in text
    assert "made.mlmodel could not be followed: it is damaged." in text
