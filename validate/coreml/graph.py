"""Define executable steps, to which both ML programs and neural networks are lowered.

A backend turns each of its operations into a `Step`, whose `call` has all constants bound and takes
only the values that exist while running, in the order of `inputs`. The executor does the rest:
liveness, rounding, checks against declared types, watching, limits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from validate.coreml import ir


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one operation, ready to run.

    Attributes:
        op_type: "conv", say; or the layer type of a neural network.
        name: the operation's name in the file.
        inputs: names of the values that `call` takes, in order.
        outputs: names and declared types of the values that it returns: the value itself for one
            output, a tuple for several or none. A type with the shape None is not checked.
        call: the computation; a step with blocks is also given `blocks=`, one function a block.
        exact: see `registry`.
        blocks: nested blocks of control flow.
        role: "relu" for max(x, 0) and "add" for x + y, which `fusion` joins with what is before.
    """

    op_type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[ir.Named, ...]
    call: Callable[..., Any]
    exact: bool = False
    blocks: tuple["Nested", ...] = ()
    role: Literal["relu", "add"] | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Hold steps in order, from named inputs to named outputs.

    Attributes:
        constants: values of outputs that no step computes.
    """

    inputs: tuple[ir.Named, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Nested:
    """Hold a block: its graph takes the block's own inputs, then outer values, the `captures`."""

    graph: Graph
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intermediate:
    """Hold a value as it was just computed, for `Model.run(watch=…)`.

    Attributes:
        name: the value's name.
        op_type: type of the operation that computed it.
        op_name: name of that operation.
        dtype: declared type, "fp16" say; None for what is no tensor.
        value: the tensor, float32, int32 or bool (or a list, or a text). Its memory may be reused
            as soon as the watcher returns: keep a copy, not the tensor.
    """

    name: str
    op_type: str
    op_name: str
    dtype: str | None
    value: Tensor | Any


@dataclass(slots=True)
class StateBuffer:
    """Hold a state: a tensor that operations read and replace, and that outlives a prediction."""

    type: ir.TensorType
    value: Tensor


Watch = Callable[[Intermediate], None]
