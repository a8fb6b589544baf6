"""Edits the saved files of a bundle: the convolutions, in the order in which they run."""

import struct
from collections.abc import Callable
from pathlib import Path

import coremltools as ct
import numpy as np
import onnx
from coremltools.models.utils import load_spec, save_spec
from numpy.typing import NDArray
from onnx import numpy_helper

Weights = NDArray[np.float32]
Change = Callable[[Weights], Weights]
"""Makes other values of a weight `(C_out, C_in, H, W)` or a bias `(C_out)`, of the same shape."""

SPECIFICATION = Path("Data/com.apple.CoreML/model.mlmodel")
BLOB = Path("Data/com.apple.CoreML/weights/weight.bin")


def edit_onnx(path: Path, index: int, part: str, change: Change) -> None:
    """Change the weight or the bias of one convolution of an ONNX file."""
    model = onnx.load(path)
    node = [node for node in model.graph.node if node.op_type == "Conv"][index]
    name = node.input[1 if part == "weight" else 2]
    tensor = next(each for each in model.graph.initializer if each.name == name)
    values = change(numpy_helper.to_array(tensor).copy())
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))
    onnx.save(model, path)


def edit_neuralnetwork(path: Path, index: int, part: str, change: Change) -> None:
    """Change the weight or the bias of one convolution of a `.mlmodel`."""
    specification = load_spec(str(path))
    layers = specification.neuralNetwork.layers
    conv = [layer for layer in layers if layer.WhichOneof("layer") == "convolution"][index]
    parameters = conv.convolution
    shape = (parameters.outputChannels, parameters.kernelChannels, *parameters.kernelSize)
    store = parameters.weights if part == "weight" else parameters.bias
    values = np.array(store.floatValue, np.float32)
    store.floatValue[:] = change(values.reshape(shape if part == "weight" else -1)).ravel()
    save_spec(specification, str(path))


def edit_mlprogram(path: Path, index: int, part: str, change: Change) -> None:
    """Change the weight or the bias of one convolution of a `.mlpackage`, where it is kept."""
    specification = load_spec(str(path))
    block = main_block(specification)
    constants = {o.outputs[0].name: o for o in block.operations if o.type == "const"}
    conv = [operation for operation in block.operations if operation.type == "conv"][index]
    constant = constants[conv.inputs[part].arguments[0].name]
    dimensions = constant.outputs[0].type.tensorType.dimensions
    shape = [dimension.constant.size for dimension in dimensions]
    value = constant.attributes["val"]
    if value.HasField("immediateValue"):  # short ones are kept in the program itself
        store = value.immediateValue.tensor.bytes
        values = np.frombuffer(store.values, np.float16).reshape(shape).astype(np.float32)
        store.values = change(values).astype(np.float16).tobytes()
        save_spec(specification, str(path / SPECIFICATION))
        return
    blob = bytearray((path / BLOB).read_bytes())
    start, size = place_in_blob(blob, value.blobFileValue.offset)
    values = np.frombuffer(blob[start : start + size], np.float16).reshape(shape)
    blob[start : start + size] = change(values.astype(np.float32)).astype(np.float16).tobytes()
    (path / BLOB).write_bytes(blob)


EDITS = {"onnx": edit_onnx, "neuralnetwork": edit_neuralnetwork, "mlprogram": edit_mlprogram}


def main_block(specification: ct.proto.Model_pb2.Model) -> ct.proto.MIL_pb2.Block:
    """The operations of an ML program's main function."""
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    return block


def place_in_blob(blob: bytes, offset: int) -> tuple[int, int]:
    """Where the values of the entry at `offset` begin, and how many bytes they take."""
    _, _, size, start = struct.unpack_from("<IIQQ", blob, offset)
    return start, size
