"""Join steps of a graph that are cheaper together and give the same values.

    conv, relu         one step: relu(round(x)) is round(relu(x)), so rounding once is enough
    add, relu          one step, the second part in place
    conv, add[, relu]  one step, only where nothing is rounded in between

A value is only joined away if one step alone uses it. Watched runs use the graph as it was.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from validate.coreml import ir
from validate.coreml.graph import Graph, Step
from validate.coreml.ops.packed import PackedConvolution

_Call = Callable[..., Any]


def fuse(graph: Graph, *, rounds: bool) -> Graph:
    """Return an equal graph with joined steps.

    Args:
        graph: what to run.
        rounds: whether values declared fp16 are rounded after each step.
    """
    uses = Counter(graph.outputs)
    for step in graph.steps:
        uses.update(step.inputs)
        uses.update(name for nested in step.blocks for name in nested.captures)
    steps: dict[str, Step] = {}
    for position, step in enumerate(graph.steps):
        joined = _joined(step, steps, uses, rounds)
        key = joined.outputs[0].name if joined.outputs else f"\0{position}"
        steps[key] = joined
    return replace(graph, steps=tuple(steps.values()))


def _joined(step: Step, steps: dict[str, Step], uses: Counter[str], rounds: bool) -> Step:
    """Join a step with the step before it that it alone uses, and remove that one."""
    for name in step.inputs:
        before = steps.get(name)
        if before is None or uses[name] != 1 or len(before.outputs) != 1:
            continue
        call = _joined_call(before, step, rounds)
        if call is not None:
            del steps[name]
            others = tuple(each for each in step.inputs if each != name)
            return replace(step, inputs=(*before.inputs, *others), call=call, exact=False)
    return step


def _joined_call(before: Step, step: Step, rounds: bool) -> _Call | None:
    """Return the function of the inputs of `before`, then the others of `step`; None if none."""
    convolution = before.call if isinstance(before.call, PackedConvolution) else None
    same_type = _dtype(before) == _dtype(step)
    if step.role == "relu" and same_type:
        if convolution is not None and not convolution.relu:
            return replace(convolution, relu=True)
        return _add_relu(before.call) if before.role == "add" else None
    unrounded = not rounds or _dtype(step) == _dtype(before) == "fp32"
    if step.role == "add" and convolution is not None and unrounded and len(step.inputs) == 2:
        plain = not convolution.relu and not convolution.adds and step.inputs[0] != step.inputs[1]
        return replace(convolution, adds=True) if plain else None
    return None


def _add_relu(add: _Call) -> _Call:
    def call(*arguments: Any) -> Tensor:
        result: Tensor = add(*arguments)
        return result.relu_() if result.is_floating_point() else result.relu()

    return call


def _dtype(step: Step) -> str | None:
    declared = step.outputs[0].type if step.outputs else None
    return declared.dtype.name if isinstance(declared, ir.TensorType) else None
