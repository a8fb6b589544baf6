"""Read the nodes of the exported program that ONNX files are made of."""

from typing import Any

from torch import fx

from export.coreml_names import OUTPUTS
from export.to_onnx import onnx_program
from models.deployable import Deployable
from models.errors import InputError
from models.specification import InputContract
from validate.drift.torch_values import Node, TorchGraph, Values


def graph_of_export(deployable: Deployable, contract: InputContract) -> TorchGraph:
    """Export `deployable` as for ONNX; its values have the names that the file keeps."""
    program = onnx_program(deployable, contract).exported_program
    if program is None:
        raise InputError("The export to ONNX kept no graph, which drift needs.")
    constants: dict[str, Any] = {}
    image, nodes = "", []
    held = {**program.state_dict, **program.constants}
    signature = program.graph_signature
    lifted = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    outputs: tuple[fx.Node, ...] = ()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in lifted:
            constants[node.name] = held[lifted[node.name]]
        elif node.op == "placeholder":
            image = node.name
        elif node.op == "call_function":
            nodes.append(_node(node))
        elif node.op == "output":
            outputs = node.args[0]
    aliases = {name: value.name for name, value in zip(OUTPUTS, outputs, strict=True)}
    return TorchGraph(nodes, image, constants, aliases)


def _node(node: fx.Node) -> Node:
    target: Any = node.target
    inputs = tuple(each.name for each in node.all_input_nodes)

    def call(values: Values) -> tuple[Any, ...]:
        def value(each: fx.Node) -> Any:
            return values[each.name]

        arguments = fx.map_arg(node.args, value)
        keywords = fx.map_arg(node.kwargs, value)
        return (target(*arguments, **keywords),)

    return Node((node.name,), inputs, str(getattr(target, "__name__", target)), _module(node), call)


def _module(node: fx.Node) -> str:
    """Return the path of the innermost module that the exporter saw around a node."""
    stack = node.meta.get("nn_module_stack") or {}
    path = next((path for path, _ in reversed(list(stack.values()))), "")
    return str(path).partition("@")[0]  # which call of a module it was
