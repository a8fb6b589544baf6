"""Lower the layers of a NeuralNetwork to the executable steps of `validate.coreml.graph`."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from models.common.text import first_line
from models.errors import InputError
from validate.coreml import ir
from validate.coreml.execution.executor import TENSOR_ERRORS
from validate.coreml.features import Interface
from validate.coreml.graph import Graph, Step
from validate.coreml.neuralnetwork import boundary, layers, outputs
from validate.coreml.neuralnetwork.control_flow import (
    SIGNAL,
    lower_branch,
    lower_loop,
    lower_rest,
    lower_signal,
)
from validate.coreml.neuralnetwork.inventory import layer_type, require_layers
from validate.coreml.neuralnetwork.registry import LAYERS, Arity, Compute
from validate.coreml.neuralnetwork.scope import ANY, Scope
from validate.coreml.ops.packed import PackedConvolution


def lower(network: Any, interface: Interface) -> Graph:
    """Lower a `NeuralNetwork` message, or that of a classifier or regressor.

    Raises:
        InputError: if a layer is missing in the runtime, or malformed.
    """
    boundary.check_network(network, interface)
    require_layers(network)
    scope = Scope()
    boundary.enter(network, interface, scope)
    inputs = tuple(ir.Named(feature.name, ANY) for feature in interface.inputs)
    _lower_layers(scope, network.layers, 0)
    names = outputs.lower_outputs(network, interface, scope)
    steps = outputs.renamed(tuple(scope.steps), names, {named.name for named in inputs})
    return Graph(inputs, steps, tuple(names.values()))


def _lower_layers(scope: Scope, messages: Sequence[Any], depth: int) -> None:
    written: set[str] = set()
    for position, message in enumerate(messages):
        kind = layer_type(message)
        try:
            if kind != "copy":
                _require_new(message, written)
            if kind in ("loopBreak", "loopContinue"):
                lower_signal(scope, message.name, kind)
                return
            if kind == "branch":
                if lower_branch(scope, message, depth, _lower_layers) and scope.has(SIGNAL):
                    rest = messages[position + 1 :]
                    lower_rest(scope, message.name, rest, depth, _lower_layers)
                    return
            elif kind == "loop":
                lower_loop(scope, message, depth, _lower_layers)
            else:
                _lower_layer(scope, message, kind)
        except InputError as error:
            raise InputError(_located(message, kind, str(error))) from None


def _located(message: Any, kind: str, error: str) -> str:
    """Put the layer's name in front of a message, unless that of a nested layer is there."""
    if error.startswith("Its layer "):
        return error
    return f"Its layer {message.name!r} ({kind}): {error}"


def _require_new(message: Any, written: set[str]) -> None:
    """Refuse a second computation of a value: only copy layers overwrite one."""
    for name in message.output:
        if name in written:
            raise InputError(f"It computes {name!r}, which a layer before it computes already.")
        written.add(name)


def _lower_layer(scope: Scope, message: Any, kind: str) -> None:
    definition = LAYERS[kind]  # require_layers has made sure that it is there
    arity = Arity(len(message.input), len(message.output))
    definition.require_counts(arity)
    try:
        compute = definition.prepare(getattr(message, kind), arity)
    except TENSOR_ERRORS as error:
        raise InputError(f"It is malformed: {first_line(error)}") from None
    inputs = tuple(scope.read(each) for each in message.input)
    written = tuple(scope.write(each) for each in message.output)
    packed = isinstance(compute, PackedConvolution)
    call = compute if packed else _finished(compute, arity.outputs)
    role = _role(message, kind)
    scope.add(Step(kind, message.name, inputs, written, call, role=role))


def _role(message: Any, kind: str) -> Literal["relu", "add"] | None:
    """Return what the layer is for `fusion`, which joins it with what is before."""
    if kind == "activation" and message.activation.HasField("ReLU"):
        return "relu"
    return "add" if kind in ("add", "addBroadcastable") and len(message.input) == 2 else None


def _finished(compute: Compute, count: int) -> Compute:
    """Return the computation with its results as neural networks have them."""

    def call(*inputs: Any) -> Any:
        if any(each is None for each in inputs):
            raise InputError("It uses a value that this run has not computed.")
        results = compute(*inputs)
        if count == 1:
            return _value(results)
        return tuple(_value(each) for each in results)

    return call


def _value(result: Tensor) -> Tensor:
    """Return a float32 tensor of at least one dimension: there are no scalars, no integers."""
    result = result if result.dtype == torch.float32 else result.to(torch.float32)
    return result if result.dim() else result.reshape(1)


_ = layers  # imported so that every layer is registered
