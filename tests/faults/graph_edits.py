"""Edits the saved files of a bundle: inputs, attributes and operations."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from conv_edits import SPECIFICATION, main_block
from coremltools.models.utils import load_spec, save_spec
from coremltools.proto import FeatureTypes_pb2, NeuralNetwork_pb2
from onnx import helper, numpy_helper

BGR = FeatureTypes_pb2.ImageFeatureType.ColorSpace.Value("BGR")


def _package(path: Path) -> Path:
    """The file that holds the specification: the package's, or the file itself."""
    return path / SPECIFICATION if path.is_dir() else path


def edit_coreml(path: Path, change: Callable[..., None]) -> None:
    """Change the specification of a Core ML file in place."""
    specification = load_spec(str(path))
    change(specification)
    save_spec(specification, str(_package(path)))


def edit_onnx_graph(path: Path, change: Callable[..., None]) -> None:
    """Change the graph of an ONNX file in place."""
    model = onnx.load(path)
    change(model.graph)
    onnx.save(model, path)


# -- Core ML ---------------------------------------------------------------------------------


def swap_colours(specification) -> None:
    specification.description.input[0].type.imageType.colorSpace = BGR


def widen_input(specification) -> None:
    specification.description.input[0].type.imageType.width = 96


def scale_network(factor: float) -> Callable[..., None]:
    def change(specification) -> None:
        scaler = specification.neuralNetwork.preprocessing[0].scaler
        scaler.channelScale *= factor

    return change


def scale_program(factor: float) -> Callable[..., None]:
    def change(specification) -> None:
        operations = main_block(specification).operations
        constant = next(o for o in operations if o.outputs[0].name.startswith("image__scaled"))
        values = constant.attributes["val"].immediateValue.tensor.floats.values
        values[0] *= factor

    return change


def clip_program(specification) -> None:
    """Make a relu a clip to [0, 1]; its limits are two new constants."""
    operations = main_block(specification).operations
    relus = [o for o in operations if o.type == "relu"]
    relu = relus[len(relus) // 2]
    name, place = relu.outputs[0].name, list(operations).index(relu)
    for offset, (role, limit) in enumerate({"alpha": 0.0, "beta": 1.0}.items()):
        constant = operations.add()
        constant.type = "const"
        constant.outputs.add().CopyFrom(relu.outputs[0])
        constant.outputs[0].name = f"clip_{role}"
        constant.outputs[0].type.tensorType.ClearField("dimensions")
        constant.outputs[0].type.tensorType.rank = 0
        value = constant.attributes["val"]
        value.type.CopyFrom(constant.outputs[0].type)
        value.immediateValue.tensor.bytes.values = np.float16(limit).tobytes()
        constant.attributes["name"].CopyFrom(relu.attributes["name"])
        relu.inputs[role].arguments.add().name = f"clip_{role}"
        operations.insert(place + offset, operations.pop())
    next(o for o in operations if o.outputs[0].name == name).type = "clip"


def shift_program(specification) -> None:
    operations = main_block(specification).operations
    padded = [o for o in operations if o.type == "conv" and "pad" in o.inputs]
    name = padded[len(padded) // 2].inputs["pad"].arguments[0].name
    constant = next(o for o in operations if o.outputs[0].name == name)
    constant.attributes["val"].immediateValue.tensor.ints.values[:] = [0, 2, 0, 2]


def shift_network(specification) -> None:
    layers = specification.neuralNetwork.layers
    convolutions = [layer.convolution for layer in layers if layer.HasField("convolution")]
    middle = convolutions[len(convolutions) // 2]
    for border in middle.valid.paddingAmounts.borderAmounts:
        border.startEdgeSize, border.endEdgeSize = 0, 2


def smooth_network(specification) -> None:
    layer = next(x for x in specification.neuralNetwork.layers if x.HasField("upsample"))
    layer.upsample.mode = NeuralNetwork_pb2.UpsampleLayerParams.BILINEAR


def clip_network(specification) -> None:
    relus = [
        layer.activation
        for layer in specification.neuralNetwork.layers
        if layer.HasField("activation")
    ]
    middle = relus[len(relus) // 2]
    middle.Clear()
    middle.sigmoidHard.alpha, middle.sigmoidHard.beta = 1.0, 0.0


def answer_with_the_other_class(specification) -> None:
    layers = specification.neuralNetwork.layers
    layer = next(layer for layer in layers if layer.HasField("argMax"))
    layer.argMin.axis, layer.argMin.removeDim = layer.argMax.axis, layer.argMax.removeDim


def answer_with_the_least(specification) -> None:
    operations = main_block(specification).operations
    next(o for o in operations if o.type == "reduce_argmax").type = "reduce_argmin"


# -- ONNX ------------------------------------------------------------------------------------


def node_of(graph, kind: str, share: float = 0.5):
    nodes = [node for node in graph.node if node.op_type == kind]
    return nodes[int(len(nodes) * share)]


def attribute_of(node, name: str):
    return next(attribute for attribute in node.attribute if attribute.name == name)


def smooth_onnx(graph) -> None:
    attribute_of(node_of(graph, "Resize"), "mode").s = b"linear"


def align_onnx(graph) -> None:
    resize = node_of(graph, "Resize")
    attribute_of(resize, "coordinate_transformation_mode").s = b"align_corners"


def shift_onnx(graph) -> None:
    attribute_of(node_of(graph, "Conv"), "pads").ints[:] = [0, 0, 2, 2]


def dilate_onnx(graph) -> None:
    node = node_of(graph, "Conv")
    attribute_of(node, "pads").ints[:] = [2, 2, 2, 2]
    attribute_of(node, "dilations").ints[:] = [2, 2]


def widen_onnx(graph) -> None:
    graph.input[0].type.tensor_type.shape.dim[3].dim_value = 96


def answer_with_the_least_onnx(graph) -> None:
    node_of(graph, "ArgMax").op_type = "ArgMin"


def behind(graph, value: str, kind: str, *inputs: str) -> None:
    """Put an operation behind the one that computes `value`, so that all others see its result."""
    place = next(index for index, node in enumerate(graph.node) if value in node.output)
    graph.node[place].output[0] = f"{value}_before"
    node = helper.make_node(kind, [f"{value}_before", *inputs], [value])
    graph.node.insert(place + 1, node)


def sigmoid_onnx(graph) -> None:
    behind(graph, "logits", "Sigmoid")


def clip_onnx(graph) -> None:
    limits = {"clip_low": 0.0, "clip_high": 1.0}
    for name, value in limits.items():
        graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    behind(graph, node_of(graph, "Relu").output[0], "Clip", *limits)
