"""Read each operation's weights, and its other parameters in words, from a Core ML file."""

from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format  # type: ignore[import-untyped]

from validate.coreml import ir
from validate.coreml.neuralnetwork import weights as stored
from validate.coreml.read_model import parse
from validate.coreml.reader.package import locate
from validate.coreml.reader.program_constants import held_constants
from validate.coreml.reader.program_reader import ProgramReader
from validate.drift.operations import Details

LONGEST = 200
"""How many characters of one parameter are told."""
WEIGHT = "weight"
VECTOR = 16
"""A constant of more numbers, or of more than one axis, is a weight and not a setting."""


def details_of(path: Path) -> dict[str, Details]:
    """Return the details of each operation of a Core ML file, by the name of its first output."""
    files = locate(path)
    message = parse(files.specification)
    if message.WhichOneof("Type") == "mlProgram":
        function = ProgramReader(files).function(message.mlProgram, "main")
        return _of_program(function.block)
    layers = message.neuralNetwork.layers
    found = {layer.output[0]: _of_layer(layer) for layer in layers if layer.output}
    for scaler in message.neuralNetwork.preprocessing:
        found[message.description.input[0].name] = Details({}, {"preprocessing": _text(scaler)})
    return found


def _of_program(block: ir.Block) -> dict[str, Details]:
    return {
        operation.outputs[0].name if operation.outputs else operation.name: _sorted(
            {key: held for key, held in constants if len(operation.inputs[key]) == 1}
        )
        for operation, constants in held_constants(block)
    }


def _sorted(constants: dict[str, ir.Constant]) -> Details:
    arrays = {k: v.data for k, v in constants.items() if isinstance(v.data, np.ndarray)}
    weights = {key: data for key, data in arrays.items() if _is_weight(key, data)}
    rest = {key: _written(data) for key, data in arrays.items() if key not in weights}
    return Details(weights, rest)


def _is_weight(key: str, data: np.ndarray) -> bool:
    floats = data.dtype.kind == "f"
    return floats and (key in (WEIGHT, "bias") or data.ndim > 1 or data.size > VECTOR)


def _written(data: np.ndarray) -> str:
    value = data.tolist()
    return (value if isinstance(value, str) else str(value))[:LONGEST]


def _of_layer(layer: Any) -> Details:
    kind = layer.WhichOneof("layer")
    parameters = getattr(layer, kind)
    shapes = shapes_of(kind, parameters)
    weights = {
        WEIGHT if field == "weights" else field: stored.read(
            getattr(parameters, field), shape, field
        ).numpy()
        for field, shape in shapes.items()
        if parameters.HasField(field)
    }
    plain = type(parameters)()
    plain.CopyFrom(parameters)
    for field in shapes:
        plain.ClearField(field)
    return Details(weights, {kind: _text(plain)})


def shapes_of(kind: str, parameters: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a layer's weights, for layers of U-Nets; transposed as in PyTorch."""
    if kind == "convolution":
        channels, kernel = parameters.outputChannels, tuple(parameters.kernelSize or (3, 3))
        first = (channels, parameters.kernelChannels)
        if parameters.isDeconvolution:
            first = (parameters.kernelChannels, channels // max(parameters.nGroups, 1))
        return {"weights": (*first, *kernel), "bias": (channels,)}
    if kind == "innerProduct":
        channels = parameters.outputChannels
        return {"weights": (channels, parameters.inputChannels), "bias": (channels,)}
    if kind == "batchnorm":
        return dict.fromkeys(("gamma", "beta", "mean", "variance"), (parameters.channels,))
    return {}


def _text(message: Any) -> str:
    if message.ByteSize() > 100 * LONGEST:
        return "…"
    return str(text_format.MessageToString(message, as_one_line=True))[:LONGEST]
