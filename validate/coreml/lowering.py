"""Lower a function of an ML program to executable steps.

Constants become bound arguments and constexpr operations are computed, so that only what depends on
the inputs is left. Operations that the runtime does not have are all named before anything runs.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from models.errors import InputError
from validate.coreml import ir, ops
from validate.coreml.binding import Resolved, bind
from validate.coreml.constants import LazyConstant
from validate.coreml.execution.executor import compute
from validate.coreml.execution.rounding import round_fp16
from validate.coreml.graph import Graph, Nested, Step
from validate.coreml.limits import require_executable
from validate.coreml.registry import RANDOM, OpDefinition, Site, find, first_opset

_CONST = "const"
_CONSTEXPR = "constexpr_"
_INNER = "Its operation"
"""How an error about an operation begins; one in a nested block keeps its own operation's name."""
_ROLES: Mapping[str, Literal["relu", "add"]] = {"relu": "relu", "add": "add"}


def lower(function: ir.Function, *, rounds: bool) -> Graph:
    """Lower a function.

    Args:
        function: what to run.
        rounds: whether the arithmetic rounds values declared fp16; constexpr operations are
            computed here and so are rounded here.

    Raises:
        UnsupportedOperation: if an operation is one that the runtime does not execute.
        InputError: if Core ML does not have an operation, or one is malformed.
    """
    _require_operations(function)
    return _BlockLowering(function, rounds, {}).graph(function.inputs, function.block)


def _require_operations(function: ir.Function) -> None:
    absent: list[str] = []
    unsupported: list[str] = []
    for operation in _all_operations(function.block):
        first = 15 if operation.type == _CONST else first_opset(operation.type)
        described = f"{operation.type} (operation {operation.name!r})"
        if first is None:
            absent.append(described)
        elif first > function.opset:
            absent.append(f"{described} before iOS {first}")
        elif operation.type in RANDOM:
            unsupported.append(described)
    subject = f"Its function {function.name!r} (opset iOS{function.opset}) has operations"
    require_executable(subject, absent, unsupported)


def _all_operations(block: ir.Block) -> Iterator[ir.Operation]:
    for operation in block.operations:
        yield operation
        for nested in operation.blocks:
            yield from _all_operations(nested)


class _BlockLowering:
    """Lower one block; names that it does not define come from the block around it."""

    def __init__(
        self, function: ir.Function, rounds: bool, constants: Mapping[str, LazyConstant]
    ) -> None:
        self._function = function
        self._rounds = rounds
        self._constants = dict(constants)
        self._defined: dict[str, ir.ValueType] = {}
        self._outer: Mapping[str, ir.ValueType] = {}
        self._captures: dict[str, ir.Named] = {}

    def graph(self, inputs: tuple[ir.Named, ...], block: ir.Block) -> Graph:
        for named in inputs:
            self._define(named)
        steps = [step for operation in block.operations for step in self._lower(operation)]
        resolved = {name: self._resolve(name) for name in block.outputs}
        constants = {
            name: each.value() for name, each in resolved.items() if isinstance(each, LazyConstant)
        }
        graph_inputs = (*inputs, *self._captures.values())
        return Graph(graph_inputs, tuple(steps), block.outputs, constants)

    def nested(self, block: ir.Block) -> Nested:
        """Lower a block inside this one; what it takes from outside becomes its last inputs."""
        inner = _BlockLowering(self._function, self._rounds, self._constants)
        inner._outer = {**self._outer, **self._defined}
        graph = inner.graph(block.inputs, block)
        for name in inner._captures:
            self._resolve(name)
        return Nested(graph, tuple(inner._captures))

    def _lower(self, operation: ir.Operation) -> Iterator[Step]:
        try:
            if operation.type == _CONST:
                self._keep_constant(operation)
                return
            step = self._step(operation, find(operation.type, self._function.opset))
            if operation.type.startswith(_CONSTEXPR):
                self._compute_constant(step)
                return
        except InputError as error:
            if str(error).startswith(_INNER):
                raise
            raise InputError(f"{_INNER} {operation.name!r} ({operation.type}) {error}") from None
        for named in operation.outputs:
            self._define(named)
        yield step

    def _step(self, operation: ir.Operation, definition: OpDefinition) -> Step:
        types = tuple(named.type for named in operation.outputs)
        site = Site(operation.name, self._function.opset, types, self._rounds)
        arguments = {
            key: tuple(self._argument(each) for each in given)
            for key, given in operation.inputs.items()
        }
        bound = bind(definition, arguments, site)
        blocks = tuple(self.nested(block) for block in operation.blocks)
        return Step(
            operation.type,
            operation.name,
            bound.inputs,
            operation.outputs,
            bound.call,
            definition.exact,
            blocks,
            _ROLES.get(operation.type),
        )

    def _argument(self, argument: ir.Argument) -> Resolved:
        if isinstance(argument, ir.Constant):
            return LazyConstant(argument)
        return self._resolve(argument)

    def _resolve(self, name: str) -> Resolved:
        """Return a constant, or the name of a value that runs; capture it if it is outside."""
        if name in self._defined or name in self._captures:
            return name
        if name in self._constants:
            return self._constants[name]
        if name not in self._outer:
            raise InputError(f"uses {name!r}, which no operation before it defines.")
        self._captures[name] = ir.Named(name, self._outer[name])
        return name

    def _define(self, named: ir.Named) -> None:
        if named.name in self._defined or named.name in self._captures:
            raise InputError(f"Two of its values have the name {named.name!r}.")
        self._constants.pop(named.name, None)
        self._defined[named.name] = named.type

    def _keep_constant(self, operation: ir.Operation) -> None:
        value = operation.inputs.get("val", ())
        if len(value) != 1 or not isinstance(value[0], ir.Constant) or len(operation.outputs) != 1:
            raise InputError("is no constant with one value.")
        declared = operation.outputs[0]
        if isinstance(declared.type, ir.TensorType) and declared.type != value[0].type:
            raise InputError(f"declares {declared.type} but holds {value[0].type}.")
        self._constants[declared.name] = LazyConstant(value[0])

    def _compute_constant(self, step: Step) -> None:
        if step.inputs:
            raise InputError("is no constant expression: it depends on the model's inputs.")
        for named, value in zip(step.outputs, compute(step, ()), strict=True):
            fp16 = isinstance(named.type, ir.TensorType) and named.type.dtype.name == "fp16"
            rounded = round_fp16(value) if self._rounds and fp16 else value
            self._constants[named.name] = LazyConstant.computed(rounded)


_ = ops  # imported so that every operation is registered
