"""The operation that drift names is the one that was edited, in every format."""

import shutil
from dataclasses import replace

import graph_edits as graph
import numpy as np
import onnx
import pytest
from conv_edits import EDITS, main_block
from coremltools.models.utils import load_spec
from fault_catalogue import WEIGHTS

from export.bundle import read_bundle
from models.deployable import Deployable
from validate.drift.open_file import TorchGraphs
from validate.drift.run import drifts_of
from validate.images.samples import find_samples

FORMATS = ("mlprogram", "neuralnetwork", "onnx")
CONVOLUTION = {"mlprogram": "conv", "neuralnetwork": "convolution", "onnx": "Conv"}


@pytest.fixture(scope="module")
def graphs(healthy):
    network, folder = healthy
    contract = read_bundle(folder).contract
    return TorchGraphs(Deployable(network, contract))


@pytest.fixture
def copied(healthy, tmp_path):
    """The folder of a copy of the healthy bundle, to break."""
    return shutil.copytree(healthy[1], tmp_path / "bundle")


def file_of(folder, format):
    artifacts = read_bundle(folder).artifacts
    return folder / next(each.path for each in artifacts if each.format == format)


def drift_of(graphs, folder, format, pictures):
    """What following that one file of the bundle finds, on the first picture."""
    bundle = read_bundle(folder)
    artifacts = tuple(each for each in bundle.artifacts if each.format == format)
    sample = next(iter(find_samples(pictures, bundle.contract)))
    (drift,) = drifts_of(graphs, replace(bundle, artifacts=artifacts), folder, lambda _: sample)
    return drift


def operations(path, format):
    """Kind and name of each operation, as the file has them."""
    if format == "onnx":
        return [(node.op_type, node.name) for node in onnx.load(path).graph.node]
    specification = load_spec(str(path))
    if format == "neuralnetwork":
        layers = specification.neuralNetwork.layers
        return [(layer.WhichOneof("layer"), layer.name) for layer in layers]
    found = [o for o in main_block(specification).operations if o.type != "const"]
    return [(o.type, o.attributes["name"].immediateValue.tensor.strings.values[0]) for o in found]


def named(path, format, kind, place):
    """The name of one operation of a kind: by its number, or in the middle for None."""
    names = [name for each, name in operations(path, format) if each == kind]
    return names[len(names) // 2 if place is None else place]


def departing(drift):
    assert drift.first is not None
    return drift.rows[drift.first.index]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_a_healthy_file_departs(healthy, graphs, pictures, format):
    drift = drift_of(graphs, healthy[1], format, pictures)
    assert drift.failure is None
    assert drift.first is None
    assert max(row.own / row.explained for row in drift.rows if row.explained) < 0.5
    followed = {name for row in drift.rows for name in (row.name, *row.joined)}
    every = operations(file_of(healthy[1], format), format)
    assert {name for _, name in every} <= followed
    convolutions = [row for row in drift.rows if "conv" in row.kind.lower()]
    assert len(convolutions) == sum("conv" in kind.lower() for kind, _ in every)
    assert all(row.module for row in convolutions)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("what", [w for w in WEIGHTS if w != "red and blue swapped"])
def test_a_changed_weight_is_named(copied, graphs, pictures, what, format):
    path, (index, change) = file_of(copied, format), WEIGHTS[what]
    expected = named(path, format, CONVOLUTION[format], index)
    EDITS[format](path, index, "weight", change)
    drift = drift_of(graphs, copied, format, pictures)
    assert departing(drift).name == expected
    assert [each.parameter for each in drift.first.weights if each.differs] == ["weight"]
    told = {"negated": "opposite sign", "zeroed": "all zero", "shifted": "another order"}
    assert next((text for word, text in told.items() if word in what), "") in drift.first.cause


def test_a_weight_that_makes_float16_overflow_is_named(copied, graphs, pictures):
    path = file_of(copied, "mlprogram")
    expected = named(path, "mlprogram", "conv", 3)
    EDITS["mlprogram"](path, 3, "weight", lambda w: w * 6e4 / np.abs(w).max())
    drift = drift_of(graphs, copied, "mlprogram", pictures)
    assert departing(drift).name == expected
    assert departing(drift).own == 1e9  # infinity
    assert "times it" in drift.first.cause


@pytest.mark.parametrize("format", FORMATS)
def test_a_dropped_bias_is_named(copied, graphs, pictures, format):
    path = file_of(copied, format)
    expected = named(path, format, CONVOLUTION[format], 8)
    EDITS[format](path, 8, "bias", np.zeros_like)
    drift = drift_of(graphs, copied, format, pictures)
    assert departing(drift).name == expected
    assert [each.parameter for each in drift.first.weights if each.differs] == ["bias"]


@pytest.mark.parametrize(
    ("format", "edit", "where"),
    [
        ("mlprogram", graph.shift_program, ("conv", None)),
        ("neuralnetwork", graph.shift_network, ("convolution", None)),
        ("onnx", graph.shift_onnx, ("Conv", None)),
        ("onnx", graph.dilate_onnx, ("Conv", None)),
        ("neuralnetwork", graph.smooth_network, ("upsample", 0)),
        ("onnx", graph.smooth_onnx, ("Resize", None)),
        ("mlprogram", graph.clip_program, ("relu", None)),
        ("neuralnetwork", graph.clip_network, ("activation", None)),
        ("mlprogram", graph.answer_with_the_least, ("reduce_argmax", 0)),
        ("neuralnetwork", graph.answer_with_the_other_class, ("argMax", 0)),
        ("onnx", graph.answer_with_the_least_onnx, ("ArgMax", 0)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_edited_operation_is_named(copied, graphs, pictures, format, edit, where):
    path = file_of(copied, format)
    expected = named(path, format, *where)
    (graph.edit_onnx_graph if format == "onnx" else graph.edit_coreml)(path, edit)
    drift = drift_of(graphs, copied, format, pictures)
    assert departing(drift).name == expected
    assert not any(each.differs for each in drift.first.weights)
    assert "has other parameters" in drift.first.cause


@pytest.mark.parametrize(
    ("edit", "kind"), [(graph.sigmoid_onnx, "Sigmoid"), (graph.clip_onnx, "Clip")]
)
def test_an_added_node_is_named_with_the_one_before(copied, graphs, pictures, edit, kind):
    graph.edit_onnx_graph(file_of(copied, "onnx"), edit)
    row = departing(drift_of(graphs, copied, "onnx", pictures))
    assert row.kind == kind
    assert len(row.joined) == 1


@pytest.mark.parametrize(
    ("format", "edit"),
    [
        ("mlprogram", graph.swap_colours),
        ("mlprogram", graph.scale_program(2.0)),
        ("neuralnetwork", graph.swap_colours),
        ("neuralnetwork", graph.scale_network(2.0)),
    ],
)
def test_a_wrong_picture_is_told_as_such(copied, graphs, pictures, format, edit):
    graph.edit_coreml(file_of(copied, format), edit)
    drift = drift_of(graphs, copied, format, pictures)
    assert drift.first.index == 0
    assert "order of its colours" in drift.first.cause


@pytest.mark.parametrize("format", FORMATS)
def test_what_cannot_be_read_is_told(copied, graphs, pictures, format):
    path = file_of(copied, format)
    path = path / graph.SPECIFICATION if path.is_dir() else path
    path.write_bytes(path.read_bytes()[:1000])
    drift = drift_of(graphs, copied, format, pictures)
    assert not drift.rows
    assert "damaged" in drift.failure
