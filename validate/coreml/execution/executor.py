"""Run a graph: values live in numbered slots and are let go after their last use.

slots     inputs, then one slot for each value that a step returns
release   after a step, the slots that no later step and no output needs are emptied
rounding  in the arithmetic "as_stored", what is declared fp16 is rounded after its step,
          unless an exact step moved values that were rounded before
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.common.text import first_line
from models.errors import InputError
from validate.coreml import ir
from validate.coreml.execution.declarations import check_results, is_fp16, stays_fp16, where
from validate.coreml.execution.rounding import round_fp16, round_fp16_
from validate.coreml.execution.usage import Execution
from validate.coreml.graph import Graph, Intermediate, Nested, Step, Watch

TENSOR_ERRORS = (RuntimeError, ValueError, IndexError, TypeError, ArithmeticError, MemoryError)
"""What tensor operations raise on values that do not fit; anything else is a defect here."""


@dataclass(frozen=True, slots=True)
class _Block:
    executable: "Executable"
    captures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Instruction:
    step: Step
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    rounded: tuple[bool, ...]
    released: tuple[int, ...]
    blocks: tuple[_Block, ...]


class Executable:
    """Run a graph, its slots assigned once, any number of times.

    Args:
        graph: what to run.
        rounds: whether values declared fp16 are rounded to fp16 (the arithmetic "as_stored").

    Raises:
        InputError: if a step uses a value before it is computed, or two have one name.
    """

    def __init__(self, graph: Graph, *, rounds: bool) -> None:
        self._slot: dict[str, int] = {}
        self._types: dict[str, ir.ValueType] = {}
        self._rounds = rounds
        for named in graph.inputs:
            self._define(named)
        self._count_inputs = len(graph.inputs)
        self._round_inputs = tuple(rounds and is_fp16(named.type) for named in graph.inputs)
        instructions = [self._instruction(step) for step in graph.steps]
        self._outputs = tuple(self._output(name, graph) for name in graph.outputs)
        self._instructions = _with_releases(instructions, self._outputs, self._count_inputs)

    def __call__(self, inputs: Sequence[Any], run: Execution) -> tuple[Any, ...]:
        """Compute the graph's outputs from its inputs.

        Raises:
            InputError: if an operation cannot be computed, or contradicts its declaration.
        """
        slots: list[Any] = [None] * len(self._slot)
        for index, (value, rounded) in enumerate(zip(inputs, self._round_inputs, strict=True)):
            slots[index] = round_fp16(value) if rounded else value
            run.keep(slots[index])
        for instruction in self._instructions:
            self._execute(instruction, slots, run)
        results = tuple(slots[each] if isinstance(each, int) else each[0] for each in self._outputs)
        for value in slots:
            run.release(value)
        return results

    def _execute(self, instruction: _Instruction, slots: list[Any], run: Execution) -> None:
        step = instruction.step
        arguments = [slots[index] for index in instruction.inputs]
        blocks = tuple(self._callable(block, slots, run) for block in instruction.blocks)
        results = compute(step, arguments, blocks)
        for index, rounded, value in zip(
            instruction.outputs, instruction.rounded, results, strict=True
        ):
            slots[index] = _rounded(value, arguments) if rounded else value
            run.keep(slots[index])
        if run.watch is not None:
            _report(run.watch, step, [slots[index] for index in instruction.outputs])
        for index in instruction.released:
            run.release(slots[index])
            slots[index] = None

    def _callable(self, block: _Block, slots: list[Any], run: Execution) -> Callable[..., Any]:
        captured = [slots[index] for index in block.captures]

        def execute(*inputs: Any) -> tuple[Any, ...]:
            run.enter_block()
            return block.executable((*inputs, *captured), run)

        return execute

    def _define(self, named: ir.Named) -> int:
        if named.name in self._slot:
            raise InputError(f"Two of its values have the name {named.name!r}.")
        self._slot[named.name] = len(self._slot)
        self._types[named.name] = named.type
        return self._slot[named.name]

    def _use(self, name: str, step: Step) -> int:
        if name not in self._slot:
            raise InputError(f"{where(step)} uses {name!r} before it is computed.")
        return self._slot[name]

    def _output(self, name: str, graph: Graph) -> int | tuple[Any]:
        if name in self._slot:
            return self._slot[name]
        if name in graph.constants:
            return (graph.constants[name],)
        raise InputError(f"Its output {name!r} is computed by no operation.")

    def _instruction(self, step: Step) -> _Instruction:
        inputs = tuple(self._use(name, step) for name in step.inputs)
        blocks = tuple(self._block(nested, step) for nested in step.blocks)
        keeps = step.exact and all(stays_fp16(self._types[name]) for name in step.inputs)
        outputs = tuple(self._define(named) for named in step.outputs)
        rounded = tuple(
            self._rounds and not keeps and is_fp16(named.type) for named in step.outputs
        )
        return _Instruction(step, inputs, outputs, rounded, (), blocks)

    def _block(self, nested: Nested, step: Step) -> _Block:
        captures = tuple(self._use(name, step) for name in nested.captures)
        return _Block(Executable(nested.graph, rounds=self._rounds), captures)


def compute(step: Step, arguments: Sequence[Any], blocks: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """Compute one step and check its results against their declared shapes.

    Raises:
        InputError: if it cannot be computed, or contradicts its declaration.
    """
    try:
        returned = step.call(*arguments, blocks=blocks) if blocks else step.call(*arguments)
    except InputError as error:
        raise InputError(f"{where(step)}: {error}") from None
    except TENSOR_ERRORS as error:
        raise InputError(f"{where(step)} cannot be computed: {first_line(error)}") from None
    results = returned if isinstance(returned, tuple) else () if returned is None else (returned,)
    check_results(step, results)
    return results


def _with_releases(
    instructions: Sequence[_Instruction], outputs: Sequence[int | tuple[Any]], count_inputs: int
) -> tuple[_Instruction, ...]:
    """Release each slot after the last instruction that uses it, or at once if none does."""
    last = dict.fromkeys(range(count_inputs), 0)
    for position, instruction in enumerate(instructions):
        captured = [index for block in instruction.blocks for index in block.captures]
        for index in (*instruction.inputs, *captured, *instruction.outputs):
            last[index] = position
    released: list[list[int]] = [[] for _ in instructions]
    kept = {each for each in outputs if isinstance(each, int)}
    for index, position in last.items():
        if index not in kept and instructions:
            released[position].append(index)
    return tuple(
        _Instruction(i.step, i.inputs, i.outputs, i.rounded, tuple(slots), i.blocks)
        for i, slots in zip(instructions, released, strict=True)
    )


def _rounded(value: Any, arguments: Sequence[Any]) -> Any:
    """Round a result, in place unless it shares memory with what the step was given.

    A step that is given nothing may return one of its constants.
    """
    if not isinstance(value, Tensor) or value.dtype != torch.float32:
        return value
    memory = value.untyped_storage().data_ptr()
    shared = (
        isinstance(other, Tensor) and other.untyped_storage().data_ptr() == memory
        for other in arguments
    )
    return round_fp16(value) if not arguments or any(shared) else round_fp16_(value)


def _report(watch: Watch, step: Step, values: Sequence[Any]) -> None:
    for named, value in zip(step.outputs, values, strict=True):
        dtype = named.type.dtype.name if isinstance(named.type, ir.TensorType) else None
        watch(Intermediate(named.name, step.op_type, step.name, dtype, value))
