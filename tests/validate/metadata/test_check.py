"""Whatever a file says of itself that is not so is told in one sentence."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
from coremltools.proto import FeatureTypes_pb2
from metadata_edits import edit_metadata, edit_onnx, edit_specification
from onnx import TensorProto

from export.bundle import Pin, read_bundle
from export.metadata import FIXED_BATCH, description_of, metadata, pinned
from export.to_coreml import FLOAT32, Arithmetic, write_mlprogram
from export.tracing import trace, trace_single_image
from models.deployable import Deployable
from validate.metadata.check import check_statements
from validate.metadata.content import read_content

FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")
COREML = ("mlprogram", "neuralnetwork")


def path_of(folder, format_):
    return next(folder / a.path for a in read_bundle(folder).artifacts if a.format == format_)


def reversed_list(text):
    return json.dumps(json.loads(text)[::-1])


def with_entry(key, value):
    return lambda text: json.dumps({**json.loads(text), key: value})


STATEMENTS = {
    "labels": (
        reversed_list,
        r'says \["class_1", "class_0"\] for its segport.labels, .* \["class_0", "class_1"\]',
    ),
    "colours": (reversed_list, r'says \["0xD55E0099", "0x00000000"\] for its segport.colours'),
    "activation": (lambda _: "sigmoid", "says sigmoid for its segport.activation, .* softmax"),
    "classes": (lambda _: "3", "says 3 for its segport.classes, and by bundle.json it is 2"),
    "network": (lambda _: "smp FPN", "says smp FPN for its segport.network"),
    "input": (with_entry("width", 96), "says 96 for its segport.input width, .* it is 64"),
    "checkpoint": (
        with_entry("sha256", "0" * 64),
        r'says "0{64}" for its segport.checkpoint sha256',
    ),
    "versions": (with_entry("torch", "1.0"), 'says "1.0" for its segport.versions torch'),
    "licence": (lambda _: "MIT", "says MIT for its segport.licence, .* it is not there"),
    "schema": (lambda _: "", "says nothing of its segport.schema, and by bundle.json it is 1"),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("key", STATEMENTS)
def test_metadata_is_held_against_the_bundle(copied, wrong, format_, key):
    change, told = STATEMENTS[key]
    path = path_of(copied, format_)
    edit_metadata(path, f"segport.{key}", change)
    sentences = wrong(copied)
    assert all(sentence.startswith(path.name) for sentence in sentences)
    assert any(re.search(told, sentence) for sentence in sentences), sentences


@pytest.mark.parametrize("format_", FORMATS)
def test_mean_and_deviation_that_are_not_the_bundles_are_told(copied, wrong, format_):
    edit_metadata(path_of(copied, format_), "segport.input", with_entry("mean", [0.5, 0.5, 0.5]))
    (sentence,) = wrong(copied)
    assert (
        "says [0.5, 0.5, 0.5] for its segport.input mean, and by bundle.json it is null" in sentence
    )


@pytest.mark.parametrize("change", ["labels", "colours", "source", "licence", "author"])
def test_a_changed_bundle_contradicts_every_file(tiny, wrong, change):
    bundle = read_bundle(tiny[1])
    changes = {
        "labels": bundle.labels[::-1],
        "colours": bundle.colours[::-1],
        "source": replace(bundle.source, sha256="1" * 64),
        "licence": "MIT",
        "author": "Somebody",
    }
    changed = replace(bundle, **{change: changes[change]})
    for format_ in FORMATS:
        assert wrong(tiny[1], format_, changed)


@pytest.mark.parametrize("format_", COREML)
def test_the_preview_of_another_network_is_told(copied, wrong, format_):
    key = "com.apple.coreml.model.preview.params"
    edit_metadata(path_of(copied, format_), key, with_entry("labels", ["a", "b"]))
    (sentence,) = wrong(copied)
    assert 'says ["a", "b"] for its com.apple.coreml.model.preview.params labels' in sentence


def _no_scale(model):
    if model.WhichOneof("Type") == "neuralNetwork":
        model.neuralNetwork.preprocessing[0].scaler.channelScale = 1 / 256
        return
    (block,) = model.mlProgram.functions["main"].block_specializations.values()
    constant = next(o for o in block.operations if o.outputs[0].name.startswith("image__scaled"))
    constant.attributes["val"].immediateValue.tensor.floats.values[0] = 1 / 256


def _half_logits(model):
    model.description.output[
        0
    ].type.multiArrayType.dataType = FeatureTypes_pb2.ArrayFeatureType.FLOAT16


def _flexible(model):
    sizes = model.description.input[0].type.imageType.enumeratedSizes
    sizes.sizes.add(width=96, height=96)


COREML_EDITS = {
    "says BGR image 64 × 64 for its input image": lambda m: setattr(
        m.description.input[0].type.imageType, "colorSpace", 30
    ),
    "says RGB image 96 × 64 for its input image": lambda m: setattr(
        m.description.input[0].type.imageType, "width", 96
    ),
    "says RGB image 64 × 64 of flexible size": _flexible,
    "says 1/256 for its scale of image, and by bundle.json it is 1/255": _no_scale,
    "says float16 [1, 2, 64, 64] for its output logits": _half_logits,
    "says other words for its description": lambda m: setattr(
        m.description.metadata, "shortDescription", "other words"
    ),
    "says 0 a, 1 b for its description of mask": lambda m: setattr(
        m.description.output[1], "shortDescription", "0 a, 1 b"
    ),
    "says Somebody for its author": lambda m: setattr(m.description.metadata, "author", "Somebody"),
}


@pytest.mark.parametrize("format_", COREML)
@pytest.mark.parametrize("told", COREML_EDITS)
def test_the_interface_of_core_ml_is_held_against_the_bundle(copied, wrong, format_, told):
    edit_specification(path_of(copied, format_), COREML_EDITS[told])
    assert any(told in sentence for sentence in wrong(copied)), wrong(copied)


def test_biases_of_the_scaler_are_told(copied, wrong):
    edit_specification(
        path_of(copied, "neuralnetwork"),
        lambda m: setattr(m.neuralNetwork.preprocessing[0].scaler, "redBias", -0.5),
    )
    assert "says 1/255 plus -0.5, 0, 0, 0 for its scale of image" in wrong(copied)[0]


def test_targets_are_read_from_the_files(tiny, wrong):
    bundle = read_bundle(tiny[1])
    targets = {
        "mlprogram": ("iOS17", "says iOS15 for its target, and by bundle.json it is iOS17"),
        "neuralnetwork": ("iOS13", "says iOS14 for its target, and by bundle.json it is iOS13"),
        "onnx": ("opset 9", "says opset 20 for its target, and by bundle.json it is opset 9"),
        "torchscript": ("torch 1.9", "for its target, and by bundle.json it is torch 1.9"),
    }
    artifacts = tuple(replace(a, target=targets[a.format][0]) for a in bundle.artifacts)
    for format_, (_, told) in targets.items():
        (sentence,) = wrong(tiny[1], format_, replace(bundle, artifacts=artifacts))
        assert told in sentence


def test_a_version_that_contradicts_the_operations_is_told(copied, wrong):
    edit_specification(
        path_of(copied, "mlprogram"), lambda m: setattr(m, "specificationVersion", 8)
    )
    assert "says iOS17 with the operations of iOS15 for its target" in wrong(copied)[0]


def _fix_batch(model):
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def _move_weights_out(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


ONNX_EDITS = {
    "says float32 [1, 3, 64, 64] for its input image, and by bundle.json it is float32 [any": (
        _fix_batch
    ),
    "says weights.bin for its weights outside the file": _move_weights_out,
    "says opset 19 for its target": lambda m: setattr(m.opset_import[0], "version", 19),
    "says nothing of its output logits": lambda m: setattr(m.graph.output[0], "name", "scores"),
}


@pytest.mark.parametrize("told", ONNX_EDITS)
def test_the_interface_of_onnx_is_held_against_the_bundle(copied, wrong, told):
    path = path_of(copied, "onnx")
    model = onnx.load(path)
    ONNX_EDITS[told](model)
    path.write_bytes(model.SerializeToString())
    assert any(told in sentence for sentence in wrong(copied)), wrong(copied)


def test_a_batch_of_one_is_right_where_the_bundle_says_so(copied, wrong):
    edit_onnx(path_of(copied, "onnx"), _fix_batch)
    bundle = read_bundle(copied)
    note = f"tiny.onnx {FIXED_BATCH}, for the network's code fixes the batch."
    artifacts = tuple(
        replace(each, notes=(note,)) if each.format == "onnx" else each for each in bundle.artifacts
    )
    assert wrong(copied, bundle=replace(bundle, artifacts=artifacts)) == []


def test_half_precision_weights_of_an_onnx_file_are_told(copied, wrong):
    def rounded(model):
        tensor = model.graph.initializer[0]
        values = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))

    edit_onnx(path_of(copied, "onnx"), rounded)
    assert "says float16 for its precision, and by bundle.json it is float32" in wrong(copied)[0]


def rewritten(folder, network, arithmetic):
    """Write the mlprogram of the bundle again, in another arithmetic."""
    bundle, path = read_bundle(folder), path_of(folder, "mlprogram")
    deployable = Deployable(network, bundle.contract)
    single = trace_single_image(trace(deployable, bundle.contract), bundle.contract)
    shutil.rmtree(path)
    description = description_of(bundle)
    write_mlprogram(single, path, "iOS15", description, metadata(description), arithmetic)


def test_a_float32_program_is_not_taken_for_a_float16_one(copied, tiny, wrong):
    rewritten(copied, tiny[0], FLOAT32)
    assert wrong(copied) == [
        "tiny.mlpackage says float32 for its precision, and by bundle.json it is float16"
    ]


def test_operations_kept_in_float32_are_those_of_the_bundle(copied, tiny, wrong):
    convolutions = read_content(path_of(copied, "mlprogram"), "mlprogram").weights
    names = [name.removesuffix("_cast_fp16") for name in convolutions]
    pins = tuple(Pin(name, "conv", None, "of its range") for name in names[3:5])
    rewritten(copied, tiny[0], Arithmetic("float16", pins))
    key = "segport.kept_in_float32"
    edit_metadata(path_of(copied, "mlprogram"), key, lambda _: pinned(pins)[key])

    def with_pins(pins):
        bundle = read_bundle(copied)
        artifacts = tuple(
            replace(each, pins=pins if each.format == "mlprogram" else ())
            for each in bundle.artifacts
        )
        return wrong(copied, bundle=replace(bundle, artifacts=artifacts))

    assert with_pins(pins) == []
    missing = f"computes 1 operation in float32 ({names[4]}"
    assert any(missing in sentence for sentence in with_pins(pins[:1]))
    other = Pin(names[0], "conv", None, "of its range")
    surplus = f"computes {names[0]} in float16"
    assert any(surplus in sentence for sentence in with_pins((*pins, other)))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_that_cannot_be_read_is_told(copied, wrong, format_):
    path = path_of(copied, format_)
    if path.is_dir():
        path = path / "Data/com.apple.CoreML/model.mlmodel"
    path.write_bytes(b"no model")
    (sentence,) = wrong(copied)
    assert "says of itself cannot be read" in sentence


def test_without_the_network_the_metadata_is_still_held_against_the_bundle(copied):
    bundle = read_bundle(copied)
    assert check_statements(bundle, copied, None) == ()
    edit_metadata(path_of(copied, "onnx"), "segport.labels", reversed_list)
    (violation,) = check_statements(bundle, copied, None)
    assert violation.path == "tiny.onnx"
