"""Compute PyTorch's own values, one node after the other, each let go after its last use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """Hold one operation of PyTorch.

    Attributes:
        outputs: names of the values that it computes.
        inputs: names of the values that it takes.
        kind: the operator, `aten::relu` say.
        module: path of the module below the `Deployable` in which it is.
        call: computes the outputs from all values known by then.
        replaces: the value that it overwrites, for an operator that works in place.
    """

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    kind: str
    module: str
    call: Callable[[Values], tuple[Any, ...]]
    replaces: str | None = None


class TorchGraph:
    """Hold a network's computation as nodes in order.

    Attributes:
        image: the name of its input `(1, C, H, W)`.
        constants: values that exist before it runs: weights, and the modules that hold them.
        aliases: other names of its values, those of a file's outputs.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        image: str,
        constants: Values,
        aliases: Mapping[str, str],
    ) -> None:
        self.image = image
        self._nodes = tuple(nodes)
        self._constants = constants
        self._aliases = dict(aliases)
        self._producer = {name: node for node in nodes for name in node.outputs}

    def resolve(self, name: str) -> str | None:
        """Return the name that a value has here; None where there is no such value."""
        name = self._aliases.get(name, name)
        return name if name in self._producer or name == self.image else None

    def producer(self, name: str) -> Node | None:
        """Return the node that computes a value; None for the input and constants."""
        return self._producer.get(name)

    def modules_between(self, output: str, inputs: set[str]) -> tuple[str, ...]:
        """Return the paths of the modules between `inputs` and `output`, in running order."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [output]
        while waiting:
            name = waiting.pop()
            node = self._producer.get(name)
            if node is None or name in seen or name in inputs:
                continue
            seen.add(name)
            found[node.module] = None
            waiting.extend(node.inputs)
        return tuple(reversed(found))

    def run(self, image: Tensor) -> Iterator[tuple[str, Any]]:
        """Yield every value that the network computes of `image (1, C, H, W)`, with its name."""
        values = {**self._constants, self.image: image}
        last = {name: i for i, node in enumerate(self._nodes) for name in node.inputs}
        yield self.image, image
        for position, node in enumerate(self._nodes):
            with torch.no_grad():
                results = node.call(values)
            for name, value in zip(node.outputs, results, strict=True):
                values[name] = value
                yield name, value
            if node.replaces is not None:
                values[node.replaces] = results[0]
            for name in {*node.inputs, *node.outputs}:
                if last.get(name, position) <= position:
                    values.pop(name, None)


class PartialRun:
    """Run a graph only as far as the values asked for.

    A value is kept until it was taken as often as `wanted` says.
    """

    def __init__(self, graph: TorchGraph, image: Tensor, wanted: Mapping[str, int]) -> None:
        self._run = graph.run(image)
        self._wanted = dict(wanted)
        self._kept: dict[str, Any] = {}

    def take(self, name: str) -> Any:
        """Return the value called `name`, one of `wanted`."""
        while name not in self._kept:
            computed, value = next(self._run)
            if self._wanted.get(computed):
                self._kept[computed] = value
        value = self._kept[name]
        self._wanted[name] -= 1
        if not self._wanted[name]:
            del self._kept[name]
        return value
