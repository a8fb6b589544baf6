"""Tell which PyTorch module computes a value of a Core ML file.

coremltools names the values of a program after those of the TorchScript graph it converts, and
where it joins operations the joined one keeps the last name: a convolution with the batch norm
behind it is named after the batch norm. So the trace that a file was made of tells the module
of each of its operations:

    TorchScript   input.3            aten::batch_norm in network.encoder.bn1
    mlprogram     input_3_cast_fp16  conv
    .mlmodel      input.3            convolution
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

# Casts between precisions, and the transposed convolution with its output's shape written out.
APPENDED = re.compile(r"(_(cast|to)_(fp16|fp32|int32|bool)(_\d+)?|_has_output_shape)+$")
NUMBERED = re.compile(r"^op_(?=\d+$)")
NO_NAME = re.compile(r"[^A-Za-z0-9_]")
OUTPUTS = ("logits", "mask")


@dataclass(frozen=True)
class TracedValue:
    """Hold a value of the graph: its name there, what computes it, and in which module.

    `module` is the path below the `Deployable`, `network.encoder.conv1` say; the empty text is
    the `Deployable` itself.
    """

    name: str
    operation: str
    module: str


def traced_graph(traced: torch.jit.ScriptModule) -> Any:
    """Return the graph of a trace, calls inlined, its values named as coremltools sees them."""
    graph = traced.inlined_graph
    torch._C._jit_pass_inline_fork_wait(graph)
    torch._C._jit_pass_dce(graph)
    torch._C._jit_pass_canonicalize_graph_fuser_ops(graph)
    graph = torch._C._jit_pass_canonicalize(graph)  # numbers what has no name, as it will stay
    torch._C._jit_pass_lower_all_tuples(graph)
    return graph


def traced_values(graph: Any) -> Iterator[TracedValue]:
    """Yield every value that a `traced_graph` computes, in order."""
    for node in graph.nodes():
        for value in node.outputs():
            yield TracedValue(value.debugName(), node.kind(), module_of(node))


def module_of(node: Any) -> str:
    """Return the path of the module in which a node was traced."""
    return (
        str(node.scopeName()).rpartition("/")[2].removeprefix("__module.").replace("__module", "")
    )


class CoreMLNames:
    """Lead from the names of values in a Core ML file to those of the trace it was made of."""

    def __init__(self, traced: torch.jit.ScriptModule) -> None:
        graph = traced_graph(traced)
        values = list(traced_values(graph))
        keys = Counter(_key(each.name) for each in values)
        self._values = {_key(each.name): each for each in values if keys[_key(each.name)] == 1}
        self._name_outputs(graph)

    @property
    def values(self) -> Mapping[str, TracedValue]:
        """Index values by their names in a Core ML file, less what coremltools appends."""
        return self._values

    def find(self, name: str) -> TracedValue | None:
        """Return the value called `name` in a `.mlpackage` or `.mlmodel`.

        None for what coremltools made up itself; a program's operation has the name of its
        first output, but for what has a number only: value `var_22`, operation `op_22`.
        """
        key = _key(name)
        plain = without_appendix(key)
        tried = (key, plain, NUMBERED.sub("var_", plain))
        return next((self._values[each] for each in tried if each in self._values), None)

    def _name_outputs(self, graph: Any) -> None:
        """Add the outputs, which have the names of the file's interface, by those names."""
        for name, value in zip(OUTPUTS, graph.outputs(), strict=True):
            node = value.node()
            self._values[name] = TracedValue(value.debugName(), node.kind(), module_of(node))


def without_appendix(name: str) -> str:
    """Return `name` less what coremltools appends where it changes the operation."""
    return APPENDED.sub("", name)


def _key(name: str) -> str:
    """Return `name` as an ML program may spell it: `input.3` is `input_3`, `295` is `var_295`."""
    key = NO_NAME.sub("_", name)
    return f"var_{key}" if key[:1].isdigit() else key
