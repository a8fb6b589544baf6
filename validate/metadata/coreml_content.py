"""The statements and the weights of an `.mlpackage` or `.mlmodel`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.features import ArrayFeature, Feature, ImageFeature, read_interface
from validate.coreml.read_model import parse
from validate.coreml.reader.package import locate
from validate.coreml.reader.program_reader import ProgramReader
from validate.metadata.compressed_weights import compressed_weights
from validate.metadata.content import FileContent, array_text, own_entries, scale_text

TARGETS = {4: "iOS13", 5: "iOS14", 6: "iOS15", 7: "iOS16", 8: "iOS17", 9: "iOS18", 10: "iOS26"}
"""The oldest system that reads a file of each specification version (Model.proto)."""
WEIGHTED = ("conv", "conv_transpose", "linear", "matmul")
"""Operations that hold a network's weights, and do nearly all of its arithmetic."""
LARGEST_FLOAT16 = 65504.0
CAST = "_cast_fp16"


def read_coreml(path: Path) -> FileContent:
    """Read a Core ML file. Raises InputError when it is damaged, or no neural model."""
    files = locate(path)
    message = parse(files.specification)
    kind = message.WhichOneof("Type")
    statements = {"kind": str(kind), **_described(message.description)}
    if kind == "mlProgram":
        name, _ = read_interface(message.description, None)
        function = ProgramReader(files).function(message.mlProgram, name)
        return _program(message, function, statements)
    if kind == "neuralNetwork":
        return _network(message, statements)
    raise InputError(f"It is a {kind or 'model without a type'}, not a neural network.")


def _described(message: Any) -> dict[str, str]:
    """Return what a model's description says, without running anything."""
    _, interface = read_interface(message, None)
    metadata = message.metadata
    described = {
        **own_entries(dict(metadata.userDefined)),
        "description": metadata.shortDescription,
        "author": metadata.author,
        "licence": metadata.license,
        "functions": ", ".join(sorted(each.name for each in message.functions)),
        "states": ", ".join(each.name for each in interface.states),
    }
    for side, messages, features in (
        ("input", message.input, interface.inputs),
        ("output", message.output, interface.outputs),
    ):
        described |= {f"description of {each.name}": each.shortDescription for each in messages}
        described |= {f"{side} {each.name}": _feature(each) for each in features}
    return {name: text for name, text in described.items() if text}


def _feature(feature: Feature) -> str:
    text = type(feature).__name__
    if isinstance(feature, ImageFeature):
        text = f"{feature.color} image {feature.size[1]} × {feature.size[0]}"
    elif isinstance(feature, ArrayFeature):
        text = array_text(feature.dtype, feature.shape)
    if getattr(feature, "ranges", ()) or getattr(feature, "enumerated", ()):
        text += " of flexible size"
    return text + (", optional" if feature.optional else "")


def _program(message: Any, function: ir.Function, statements: dict[str, str]) -> FileContent:
    operations = function.block.operations
    constants = {
        each.outputs[0].name: each.inputs["val"][0]
        for each in operations
        if each.type == "const" and each.outputs and "val" in each.inputs
    }
    weights = {
        operation.name: array
        for operation in operations
        if operation.type in WEIGHTED
        for array in _arrays(operation, constants)
    }
    stored = compressed_weights(operations, constants)
    compressed = {
        operation.name: stored[argument]
        for operation in operations
        if operation.type in WEIGHTED
        for arguments in operation.inputs.values()
        for argument in arguments
        if isinstance(argument, str) and argument in stored
    }
    target = TARGETS.get(message.specificationVersion, f"version {message.specificationVersion}")
    if target != f"iOS{function.opset}":
        target += f" with the operations of iOS{function.opset}"
    precisions = dict(_precisions(operations, constants))
    return FileContent(
        {
            **statements,
            "target": target,
            "precision": "float16" if "float16" in precisions.values() else "float32",
            **_program_scale(message.description, operations, constants),
        },
        weights,
        precisions,
        compressed,
    )


Constants = Mapping[str, ir.Argument]


def _arrays(operation: ir.Operation, constants: Constants) -> Iterator[NDArray[Any]]:
    """Yield the floating-point constants of two or more axes that an operation takes."""
    for arguments in operation.inputs.values():
        for argument in arguments:
            held = constants.get(argument) if isinstance(argument, str) else argument
            data = held.data if isinstance(held, ir.Constant) else None
            if isinstance(data, np.ndarray) and data.ndim > 1 and data.dtype.kind == "f":
                yield data


def _precisions(
    operations: tuple[ir.Operation, ...], constants: Constants
) -> Iterator[tuple[str, str]]:
    """Yield the names of operations with the precision of what they give.

    An operation in float32 counts where it holds weights, and float16 has numbers for them:
    what coremltools cannot round, it leaves in float32 by itself.
    """
    for operation in operations:
        types = [named.type for named in operation.outputs]
        names = {each.dtype.name for each in types if isinstance(each, ir.TensorType)}
        name = operation.name.removesuffix(CAST)
        if operation.type in ("const", "cast") or not names & {"fp16", "fp32"}:
            continue
        if "fp16" in names:
            yield name, "float16"
        elif operation.type in WEIGHTED and not any(
            np.abs(array).max(initial=0) > LARGEST_FLOAT16
            for array in _arrays(operation, constants)
        ):
            yield name, "float32"


def _program_scale(
    description: Any, operations: tuple[ir.Operation, ...], constants: Constants
) -> dict[str, str]:
    """Return the factor of an image's pixels, which is the first operation on them."""
    images = {each.name for each in description.input if each.type.HasField("imageType")}
    found = {}
    for operation in operations:
        taken = [each for arguments in operation.inputs.values() for each in arguments]
        for name in images & {each for each in taken if isinstance(each, str)}:
            factors = [
                constants.get(each) for each in taken if isinstance(each, str) and each != name
            ]
            found[f"scale of {name}"] = _factor(factors) if operation.type == "mul" else "none"
    return found


def _factor(factors: list[ir.Argument | None]) -> str:
    data = [each.data for each in factors if isinstance(each, ir.Constant)]
    if len(data) != 1 or not isinstance(data[0], np.ndarray) or data[0].size != 1:
        return "none that is one number"
    return scale_text(float(data[0].reshape(())), 2.0**-10 if data[0].itemsize == 2 else 2.0**-20)


def _network(message: Any, statements: dict[str, str]) -> FileContent:
    from validate.coreml.neuralnetwork import weights as stored
    from validate.drift.coreml_details import shapes_of

    network = message.neuralNetwork
    weights = {}
    half = False
    for layer in network.layers:
        kind = layer.WhichOneof("layer") or "layer"
        parameters = getattr(layer, kind, None)
        shape = shapes_of(kind, parameters).get("weights")
        if shape is not None and parameters is not None:
            half = half or bool(parameters.weights.float16Value)
            weights[layer.name] = stored.read(parameters.weights, shape, "weights").numpy()
    return FileContent(
        {
            **statements,
            "target": TARGETS.get(message.specificationVersion, "unknown"),
            "precision": "float16" if half else "float32",
            **{
                f"scale of {each.featureName or 'image'}": _scaler(each)
                for each in network.preprocessing
            },
        },
        weights,
    )


def _scaler(message: Any) -> str:
    if message.WhichOneof("preprocessor") != "scaler":
        return "a mean image"
    scaler = message.scaler
    text = scale_text(scaler.channelScale, 2.0**-20)
    biases = (scaler.redBias, scaler.greenBias, scaler.blueBias, scaler.grayBias)
    return f"{text} plus {', '.join(f'{each:g}' for each in biases)}" if any(biases) else text
