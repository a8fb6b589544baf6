"""Read the nodes of the TorchScript trace that Core ML files are made of."""

from typing import Any

import torch

from export.coreml_names import OUTPUTS, CoreMLNames, module_of, traced_graph
from export.tracing import trace, trace_single_image
from models.deployable import Deployable
from models.errors import InputError
from models.specification import InputContract
from validate.drift.torch_values import Node, TorchGraph, Values

LISTS = ("prim::ListConstruct", "prim::TupleConstruct")
UNPACKS = ("prim::ListUnpack", "prim::TupleUnpack")


def graph_of_trace(
    deployable: Deployable, contract: InputContract
) -> tuple[TorchGraph, CoreMLNames]:
    """Trace `deployable` as the export does; its values have the names that Core ML files keep.

    Raises InputError for a trace with control flow, which is not followed.
    """
    traced = trace_single_image(trace(deployable, contract), contract)
    graph = traced_graph(traced)
    module, image = (value.debugName() for value in graph.inputs())
    constants: dict[str, Any] = {module: traced}
    nodes = []
    for node in graph.nodes():
        (first, *_) = (value.debugName() for value in node.outputs())
        if node.kind() == "prim::Constant":
            constants[first] = node.output().toIValue()
        elif node.kind() == "prim::GetAttr":
            owner = constants[node.input().debugName()]
            constants[first] = getattr(owner, node.s("name"))
        else:
            nodes.append(_node(node))
    outputs = [value.debugName() for value in graph.outputs()]
    aliases = dict(zip(OUTPUTS, outputs, strict=True))
    return TorchGraph(nodes, image, constants, aliases), CoreMLNames(traced)


def _node(node: Any) -> Node:
    kind = node.kind()
    inputs = tuple(value.debugName() for value in node.inputs())
    outputs = tuple(value.debugName() for value in node.outputs())
    module = module_of(node)
    if next(node.blocks(), None) is not None:
        raise InputError(f"The trace has control flow ({kind}), which drift cannot follow.")
    if kind in LISTS:
        return Node(outputs, inputs, kind, module, lambda values: ([values[i] for i in inputs],))
    if kind in UNPACKS:
        return Node(outputs, inputs, kind, module, lambda values: tuple(values[inputs[0]]))
    schema = torch._C.parse_schema(node.schema())
    operator, in_place = _operator(kind, schema)
    keywords = tuple(each.name if each.kwarg_only else None for each in schema.arguments)

    def call(values: Values) -> tuple[Any, ...]:
        given = [(key, values[name]) for key, name in zip(keywords, inputs, strict=True)]
        positional = [value for key, value in given if key is None]
        result = operator(*positional, **{key: value for key, value in given if key is not None})
        return tuple(result) if len(outputs) > 1 else (result,)

    return Node(outputs, inputs, kind, module, call, inputs[0] if in_place else None)


def _operator(kind: str, schema: Any) -> tuple[Any, bool]:
    """Return an operator's function that leaves its input alone, and whether the operator did not.

    So a value is what it was when it was computed: `relu_` would overwrite the batch norm's.
    """
    space, name = kind.split("::")
    overload = schema.overload_name or "default"
    plain = getattr(getattr(torch.ops, space), name.removesuffix("_"), None)
    if name.endswith("_") and plain is not None and hasattr(plain, overload):
        return getattr(plain, overload), True
    return getattr(getattr(getattr(torch.ops, space), name), overload), False
