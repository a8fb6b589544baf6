"""Bind an operation of a program to its function: arguments are checked, constants converted once.

The result is a function of only those values that exist while running.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import InputError
from validate.coreml.constants import LazyConstant
from validate.coreml.registry import (
    CONVERSIONS,
    Blocks,
    Ints,
    OpDefinition,
    Parameter,
    Site,
    Stored,
    Tensors,
    Values,
)

_SEVERAL = (Tensors, Values, Ints)
Resolved = str | LazyConstant
"""An argument: the name of a value that exists while running, or a constant."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Hold what a step needs: the names of its running inputs and the function of them."""

    inputs: tuple[str, ...]
    call: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Running:
    """Hold a parameter that depends on running values; `parts`: their positions, or constants."""

    parameter: Parameter
    parts: tuple[int | LazyConstant, ...]

    def gather(self, arguments: Sequence[Any]) -> Any:
        values = tuple(
            arguments[each] if isinstance(each, int) else each.value() for each in self.parts
        )
        return _convert(self.parameter, values)


def bind(
    definition: OpDefinition, arguments: Mapping[str, tuple[Resolved, ...]], site: Site
) -> Bound:
    """Bind the arguments of an operation to its function's parameters.

    Raises:
        InputError: if one is unknown, missing, or of a kind the operation does not take.
    """
    known = {parameter.name for parameter in definition.parameters}
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise InputError(f"has the unknown parameter {unknown[0]!r}.")
    fixed: dict[str, Any] = {}
    running: list[_Running] = []
    names: list[str] = []
    for parameter in definition.parameters:
        given = arguments.get(parameter.name, ())
        if parameter.kind is Site:
            fixed[parameter.name] = site
        elif parameter.kind == Blocks:
            continue
        elif not given and not (parameter.name in arguments and parameter.kind in _SEVERAL):
            _require_optional(parameter)
        elif any(isinstance(each, str) for each in given):
            running.append(_Running(parameter, _positions(given, names)))
        else:
            fixed[parameter.name] = _fixed(parameter, given)
    first = definition.parameters[0].name if definition.parameters else ""
    if definition.packed is not None and [each.parameter.name for each in running] == [first]:
        packed = definition.packed(**fixed)
        if packed is not None:
            return Bound(tuple(names), packed)
    return Bound(tuple(names), _caller(definition.function, fixed, tuple(running)))


def _require_optional(parameter: Parameter) -> None:
    if parameter.required:
        raise InputError(f"lacks its parameter {parameter.name!r}.")


def _positions(given: Sequence[Resolved], names: list[str]) -> tuple[int | LazyConstant, ...]:
    """Number the running values among the arguments, and append their names to `names`."""
    parts: list[int | LazyConstant] = []
    for each in given:
        if isinstance(each, str):
            parts.append(len(names))
            names.append(each)
        else:
            parts.append(each)
    return tuple(parts)


def _fixed(parameter: Parameter, given: Sequence[Resolved]) -> Any:
    constants = [each for each in given if isinstance(each, LazyConstant)]
    if parameter.kind == Stored:
        return _convert(parameter, tuple(each.stored() for each in constants))
    return _convert(parameter, tuple(each.value() for each in constants))


def _convert(parameter: Parameter, values: tuple[Any, ...]) -> Any:
    """Convert the values of an argument to what the parameter's annotation asks for."""
    what = f"its parameter {parameter.name!r}"
    value: Any = values
    if len(values) == 1 and parameter.kind not in (Tensors, Values):
        value = values[0]
    elif parameter.kind not in _SEVERAL:
        raise InputError(f"gives {len(values)} values to {what}.")
    conversion = CONVERSIONS[parameter.kind]
    if conversion is None:
        return value
    try:
        return conversion(value, what)
    except (ValueError, OverflowError, TypeError) as error:
        raise InputError(f"has an unusable value for {what}: {error}.") from None


def _caller(
    function: Callable[..., Any], fixed: Mapping[str, Any], running: tuple[_Running, ...]
) -> Callable[..., Any]:
    gathers = tuple((each.parameter.name, each.gather) for each in running)

    def call(*arguments: Any, **blocks: Any) -> Any:
        gathered = {name: gather(arguments) for name, gather in gathers}
        return function(**fixed, **gathered, **blocks)

    return call
