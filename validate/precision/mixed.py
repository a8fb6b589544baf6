"""Run one network as any mixture of its two precisions, without converting it again.

coremltools names an operation `x` of the float32 program `x_cast_fp16` in the FP16 program, with
its constants rounded, and adds `cast` operations between the two precisions. So a mixture takes
each operation from one program or the other, in the order of the float32 one:

    float32        x ───────────────> conv (float32 weights) ──> y, not rounded
    FP16           x ─> cast to FP16 > conv (FP16 weights) ────> y, rounded to FP16

which is what `FP16ComputePrecision(op_selector=…)` writes.
"""

from collections.abc import Collection
from dataclasses import replace

from torch import Tensor

from validate.coreml import ir
from validate.coreml.dtypes import BY_NAME
from validate.coreml.graph import Step
from validate.coreml.model import Model

SUFFIX = "_cast_fp16"
"""What coremltools appends to the name of an operation that it moves to FP16."""


def rounded_operations(half: Model, full: Model) -> tuple[str, ...]:
    """Return the operations that are float32 in `full` and FP16 in `half`, by name, in order."""
    moved = _moved(half)
    return tuple(step.name for step in full.graph.steps if step.name in moved)


def mixture(half: Model, full: Model, in_float32: Collection[str]) -> Model:
    """Return the network with the operations named `in_float32` taken from `full`, the others FP16.

    Args:
        half: the FP16 program.
        full: the float32 program of the same network.
        in_float32: names of operations as `full` has them.
    """
    moved = {name: step for name, step in _moved(half).items() if name not in in_float32}
    types: dict[str, ir.ValueType] = {named.name: named.type for named in full.graph.inputs}
    steps: list[Step] = []
    for step in full.graph.steps:
        taken = _rounded(step, moved[step.name], types, steps) if step.name in moved else step
        types.update((named.name, named.type) for named in taken.outputs)
        steps.append(taken)
    graph = replace(full.graph, steps=tuple(steps))
    return Model(full.path, full.interface, graph, arithmetic="as_stored", backend="mlprogram")


def _moved(half: Model) -> dict[str, Step]:
    """Return the FP16 program's operations by their names in the float32 one.

    Operations with nested blocks stay as they are: coremltools moves their parts one by one.
    """
    return {
        step.name.removesuffix(SUFFIX): step
        for step in half.graph.steps
        if step.name.endswith(SUFFIX) and not step.blocks
    }


def _rounded(full: Step, half: Step, types: dict[str, ir.ValueType], steps: list[Step]) -> Step:
    """Return the FP16 step under the float32 program's names, its float32 inputs cast first."""
    inputs = tuple(_cast(name, types, steps) for name in full.inputs)
    outputs = tuple(
        ir.Named(wide.name, narrow.type)
        for wide, narrow in zip(full.outputs, half.outputs, strict=True)
    )
    return replace(half, name=full.name, inputs=inputs, outputs=outputs)


def _cast(name: str, types: dict[str, ir.ValueType], steps: list[Step]) -> str:
    """Return the name of a value as FP16; add the step that rounds it where it is float32."""
    given = types[name]
    if not isinstance(given, ir.TensorType) or given.dtype.name != "fp32":
        return name
    cast = f"{name}_to_fp16"
    if cast not in types:
        types[cast] = replace(given, dtype=BY_NAME["fp16"])
        steps.append(Step("cast", cast, (name,), (ir.Named(cast, types[cast]),), _same))
    return cast


def _same(value: Tensor) -> Tensor:
    """Return the value as it is: the executor rounds every value that is declared FP16."""
    return value
