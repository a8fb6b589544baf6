"""Name the values of a network while it is lowered.

In a network a layer may overwrite a value (`copy`, and everything in a loop); in a graph of steps
each value is computed once. The second value of `x` is therefore named `x#2`. A nested network
sees the values around it; those that it uses become the last inputs of its block.
"""

from typing import Any

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.graph import Graph, Nested, Step

ANY = ir.TensorType(dtypes.BY_NAME["fp32"], None)
"""The type of every value: float32, of a shape that is known when it runs."""

_ABSENT = "(absent)"


class Scope:
    """Hold the values and steps of one network, and the network around it.

    Attributes:
        steps: in order.
        written: names of the values that its layers compute, in order.
    """

    def __init__(self, outer: "Scope | None" = None) -> None:
        self.steps: list[Step] = []
        self.written: dict[str, None] = {}
        self._outer = outer
        self._current: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._inputs: list[str] = []
        self._captures: dict[str, str] = {}

    def add_input(self, name: str) -> str:
        """Declare an input of the network or block."""
        value = self._new(name)
        self._inputs.append(value)
        return value

    def has(self, name: str) -> bool:
        """Tell whether the value exists here or outside."""
        return name in self._current or (self._outer is not None and self._outer.has(name))

    def read(self, name: str) -> str:
        """Return the current version of a value, for a step to use.

        Raises:
            InputError: if no layer before computes it.
        """
        if name in self._current:
            return self._current[name]
        if self._outer is None:
            raise InputError(f"It uses {name!r}, which no layer before it computes.")
        self._captures[name] = self._outer.read(name)
        return self._new(name)

    def write(self, name: str) -> ir.Named:
        """Return the new version of a value, for a step to compute."""
        self.written[name] = None
        return ir.Named(self._new(name), ANY)

    def add(self, step: Step) -> None:
        """Append a step."""
        self.steps.append(step)

    def nested(self, names: tuple[str, ...]) -> Nested:
        """Return this scope as a block that gives values; None for those that do not exist."""
        outputs = tuple(self.read(name) if self.has(name) else _ABSENT for name in names)
        inputs = (*self._inputs, *self._captures)
        constants: dict[str, Any] = {_ABSENT: None} if _ABSENT in outputs else {}
        graph = Graph(
            tuple(ir.Named(each, ANY) for each in inputs), tuple(self.steps), outputs, constants
        )
        return Nested(graph, tuple(self._captures.values()))

    def _new(self, name: str) -> str:
        version = self._versions.get(name, 0) + 1
        self._versions[name] = version
        self._current[name] = name if version == 1 else f"{name}#{version}"
        return self._current[name]
