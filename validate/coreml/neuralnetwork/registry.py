"""Register layers: one layer type is one function that prepares its computation.

A function is registered under the layer's name in `NeuralNetwork.proto`. It reads the parameters
once, when the file is loaded, and returns the computation, which takes only tensors:

    @layer("softmaxND")
    def softmax_nd(params: Any, arity: Arity) -> Compute:
        axis = params.axis
        return lambda x: torch.softmax(x, axis)

The computation must not hold on to `params`: a part of a protobuf message keeps the whole file in
memory. Every value is a float32 tensor; a result of rank 0 or of another type is converted by the
lowering, since neural networks have neither scalars nor integers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.errors import InputError
from validate.coreml import ops
from validate.coreml.registry import find

Compute = Callable[..., Any]
"""Takes the layer's input tensors; returns the output, or a tuple where there are several."""

_MANY = 1_000_000
_OPSET = 15


@dataclass(frozen=True, slots=True)
class Arity:
    """Hold how many values a layer takes and gives in the file."""

    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class LayerDefinition:
    """Define a layer type.

    Attributes:
        type: its name in `NeuralNetwork.proto`.
        prepare: reads the parameters and returns the computation.
        inputs: fewest and most inputs.
        outputs: fewest and most outputs.
    """

    type: str
    prepare: Callable[[Any, Arity], Compute]
    inputs: tuple[int, int]
    outputs: tuple[int, int]

    def require_counts(self, arity: Arity) -> None:
        """Refuse a number of inputs or outputs that the type does not have.

        Raises:
            InputError: if it has too many or too few.
        """
        for what, count, (fewest, most) in (
            ("inputs", arity.inputs, self.inputs),
            ("outputs", arity.outputs, self.outputs),
        ):
            if not fewest <= count <= most:
                limit = f"at least {fewest}" if count < fewest else f"at most {most}"
                raise InputError(f"It has {count} {what}, but its type has {limit}.")


LAYERS: dict[str, LayerDefinition] = {}

_Prepare = Callable[[Any, Arity], Compute]


def layer(
    *types: str, inputs: int | tuple[int, int] = 1, outputs: int | tuple[int, int] = 1
) -> Callable[[_Prepare], _Prepare]:
    """Register a function for layer types that have these numbers of inputs and outputs."""

    def register(prepare: _Prepare) -> _Prepare:
        for name in types:
            LAYERS[name] = LayerDefinition(name, prepare, _bounds(inputs), _bounds(outputs))
        return prepare

    return register


def at_least(fewest: int) -> tuple[int, int]:
    """Return the bounds of a number without an upper limit."""
    return fewest, _MANY


def operation(name: str) -> Compute:
    """Return the function of the ML program operation that means the same as a layer."""
    return find(name, _OPSET).function


def choose(options: tuple[Any, ...], number: int, what: str) -> Any:
    """Return the option with the number that an enum field holds.

    Raises:
        InputError: if the number is not one of the enum's.
    """
    if not 0 <= number < len(options):
        raise InputError(f"It has the unknown {what} {number}.")
    return options[number]


def pair(values: Any, default: int, what: str) -> tuple[int, int]:
    """Return a field of two numbers [height, width], the default for both where it is not set.

    Raises:
        InputError: if it has another number of elements.
    """
    given = tuple(int(each) for each in values) or (default, default)
    if len(given) != 2:
        raise InputError(f"It has {len(given)} values for its {what} instead of 2.")
    return given


def _bounds(count: int | tuple[int, int]) -> tuple[int, int]:
    return (count, count) if isinstance(count, int) else count


_ = ops  # imported so that every operation is registered
