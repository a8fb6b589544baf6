"""Register operations: one operation is one function on tensors.

A function is registered under its MIL name for the opset (iOS version) from which it applies; where
a later opset changes the meaning, a second function is registered with a later `since`:

    @op("relu", exact=True)
    def relu(x: Tensor) -> Tensor: ...

    @op("gather", since=17)
    def gather_ios17(x: Tensor, indices: Tensor, axis: int = 0, ...) -> Tensor: ...

Parameters carry the names, and the defaults, of the MIL specification. Their annotations say what
the function wants, and the values of a file, constant or computed, are converted to it:

    Tensor              a tensor: float32, int32 or bool
    int, float, bool, str
    Ints, Floats        a tuple of numbers: a shape, strides, axes
    Tensors             several values: the inputs of concat
    Stored              a constant in its storage type (int8 weights), for constexpr operations
    Any, Values         the value, or several, as they are: a list, a state, a text
    Site                where the operation stands: name, opset, declared output types, arithmetic
    Blocks              the nested blocks, as functions of their inputs, each returning a tuple

`X | None` admits absence. An `exact` operation selects, moves or clamps: where its inputs hold FP16
values its result does too, so it is not rounded again. Rounding happens in place unless the result
shares memory with an input; a function that is not exact must therefore not return a constant.
"""

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from torch import Tensor

from models.errors import InputError
from validate.coreml import ir

F = TypeVar("F", bound=Callable[..., Any])

Ints = tuple[int, ...]
Floats = tuple[float, ...]
Tensors = tuple[Tensor, ...]
Values = tuple[Any, ...]
Stored = Annotated[Tensor, "stored"]
Blocks = tuple[Callable[..., tuple[Any, ...]], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Describe the place of an operation in its function.

    Attributes:
        name: the operation's name in the file.
        opset: the function's iOS version, 15 say.
        outputs: the declared types of its outputs.
        rounds: whether values declared fp16 are rounded to fp16 (arithmetic "as_stored"); for
            operations whose inner steps are FP16 too, a recurrent cell say.
    """

    name: str
    opset: int
    outputs: tuple[ir.ValueType, ...]
    rounds: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe a parameter of an operation's function.

    Attributes:
        name: its MIL name.
        kind: the annotation without `| None`.
        required: whether the file must give it.
    """

    name: str
    kind: Any
    required: bool


@dataclass(frozen=True, slots=True)
class OpDefinition:
    """Define an operation by its function, from an opset on."""

    type: str
    since: int
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    exact: bool
    packed: Callable[..., Any] | None


OPERATIONS: dict[str, list[OpDefinition]] = {}

RANDOM = frozenset({"random_bernoulli", "random_categorical", "random_normal", "random_uniform"})
"""Operations of Core ML that are not executed: no two runs of them give the same."""


def op(
    *names: str, since: int = 15, exact: bool = False, packed: Callable[..., Any] | None = None
) -> Callable[[F], F]:
    """Register a function as the operation(s) `names` from the opset `since` on.

    Args:
        names: MIL names.
        since: iOS version.
        exact: see above.
        packed: where all parameters but the first are constants, it is given them and returns a
            faster function of the first, or None.
    """

    def register(function: F) -> F:
        parameters = tuple(map(_parameter, inspect.signature(function).parameters.values()))
        for name in names:
            versions = OPERATIONS.setdefault(name, [])
            versions.append(OpDefinition(name, since, function, parameters, exact, packed))
            versions.sort(key=lambda definition: definition.since)
        return function

    return register


def find(type_: str, opset: int) -> OpDefinition:
    """Return the definition of an operation in an opset.

    Raises:
        InputError: if the runtime has none.
    """
    for definition in reversed(OPERATIONS.get(type_, [])):
        if definition.since <= opset:
            return definition
    raise InputError(f"is no operation of the opset iOS{opset} that the runtime has.")


def first_opset(type_: str) -> int | None:
    """Return the opset (iOS version) that brought an operation, None where Core ML has none."""
    return 15 if type_ in RANDOM else OPERATIONS[type_][0].since if type_ in OPERATIONS else None


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind = parameter.annotation
    if get_origin(kind) in (types.UnionType, Union):
        kind = next(each for each in get_args(kind) if each is not types.NoneType)
    return Parameter(parameter.name, kind, parameter.default is inspect.Parameter.empty)


def scalar(value: Any, what: str) -> Any:
    """Return the one number, bool or text in a value.

    Raises:
        InputError: if it holds none or several.
    """
    if not isinstance(value, Tensor):
        return value
    if value.numel() != 1:
        raise InputError(f"{what} has {value.numel()} values instead of one.")
    return value.item()


def _numbers(value: Any, what: str) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return tuple(scalar(each, what) for each in value)
    if not isinstance(value, Tensor):
        raise InputError(f"{what} is no list of numbers.")
    return tuple(value.reshape(-1).tolist())


def _tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value
    raise InputError(f"{what} is no tensor.")


def _tensors(value: Any, what: str) -> Tensors:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(_tensor(each, what) for each in values)


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    raise InputError(f"{what} is no text.")


CONVERSIONS: dict[Any, Callable[[Any, str], Any] | None] = {
    Any: None,
    Values: lambda value, _: value if isinstance(value, tuple) else (value,),
    Tensor: _tensor,
    Stored: _tensor,
    Tensors: _tensors,
    Ints: lambda value, what: tuple(int(each) for each in _numbers(value, what)),
    Floats: lambda value, what: tuple(float(each) for each in _numbers(value, what)),
    int: lambda value, what: int(scalar(value, what)),
    float: lambda value, what: float(scalar(value, what)),
    bool: lambda value, what: bool(scalar(value, what)),
    str: _text,
}
