"""Run recurrent layers over `(Seq, N, I, 1, 1)`: simple and GRU, and what the LSTM shares.

Before an activation every sum is clipped to [-50, 50].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.layers.activation import Activation, activation_function
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer

CLIP = 50.0
_USUAL = {"linear": (1.0, 0.0), "sigmoidHard": (0.2, 0.5), "scaledTanh": (1.0, 1.0)}
"""Alpha and beta where a recurrent layer gives none: coremltools writes none."""
States = tuple[Tensor, ...]
Cell = Callable[[Tensor, States], States]
"""Takes what the input adds to the gates `(N, G H)` and the states; returns the new states."""


@dataclass(frozen=True, slots=True)
class Gates:
    """Hold the weights of all gates, one below the other: `(G H, I)`, `(G H, H)` and `(G H,)`."""

    size: int
    inputs: Tensor
    recursion: Tensor
    bias: Tensor | None

    def of_inputs(self, x: Tensor) -> Tensor:
        """Return what `(Seq, N, I)` adds to the gates, for all times at once."""
        require_size((*x.shape[:2], self.inputs.shape[0]), "its gates")
        result = x @ self.inputs.T
        return result if self.bias is None else result + self.bias


def read_gates(message: Any, names: Sequence[str], params: Any, has_bias: bool) -> Gates:
    """Read the fields such as updateGateWeightMatrix of each gate."""
    rows, columns = params.outputVectorSize, params.inputVectorSize

    def read(kind: str, shape: tuple[int, ...]) -> Tensor:
        fields = [f"{name}{kind}" for name in names]
        return torch.cat([weights.read(getattr(message, each), shape, each) for each in fields])

    return Gates(
        rows,
        read("WeightMatrix", (rows, columns)),
        read("RecursionMatrix", (rows, rows)),
        read("BiasVector", (rows,)) if has_bias else None,
    )


@layer("simpleRecurrent", inputs=(1, 2), outputs=(1, 2))
def simple_recurrent(params: Any, arity: Arity) -> Compute:
    """Return y = f(W x + R y' + b)."""
    rows, columns = params.outputVectorSize, params.inputVectorSize
    recursion = weights.read(params.recursionMatrix, (rows, rows), "recursion matrix")
    gates = Gates(
        rows,
        weights.read(params.weightMatrix, (rows, columns), "weight matrix"),
        recursion,
        weights.read(params.biasVector, (rows,), "bias") if params.hasBiasVector else None,
    )
    function = _activation(params.activation)

    def cell(given: Tensor, states: States) -> States:
        return (function(clipped(given + states[0] @ recursion.T)),)

    direction = Direction(gates, cell, params.reverseInput)
    return one_way(direction, 1, params.sequenceOutput, arity)


@layer("gru", inputs=(1, 2), outputs=(1, 2))
def gru(params: Any, arity: Arity) -> Compute:
    """Run a gated recurrent unit: the reset gate acts on the state before its matrix."""
    names = ("updateGate", "resetGate", "outputGate")
    gates = read_gates(params, names, params, params.hasBiasVectors)
    inner, outer = read_activations(params.activations, 2)
    size = gates.size
    gating, candidate = gates.recursion.split([2 * size, size])

    def cell(given: Tensor, states: States) -> States:
        (y,) = states
        update, reset = inner(clipped(given[:, : 2 * size] + y @ gating.T)).chunk(2, -1)
        output = outer(clipped(given[:, 2 * size :] + (y * reset) @ candidate.T))
        return ((1 - update) * output + update * y,)

    direction = Direction(gates, cell, params.reverseInput)
    return one_way(direction, 1, params.sequenceOutput, arity)


@dataclass(frozen=True, slots=True)
class Direction:
    """Run one direction over a sequence."""

    gates: Gates
    cell: Cell
    reverse: bool

    def run(
        self, x: Tensor, initial: Sequence[Tensor], count: int, sequence: bool
    ) -> tuple[Tensor, ...]:
        """Return the output, of all times as they are reached or of the last, and the states."""
        columns = self.gates.inputs.shape[1]
        if x.dim() != 5 or x.shape[2:].numel() != columns or not len(x):
            raise InputError(f"It takes sequences of {columns} values, not {list(x.shape)}.")
        length, batch = x.shape[:2]
        given = self.gates.of_inputs(x.reshape(length, batch, columns))
        size = self.gates.size
        states: States = tuple(each.reshape(batch, size) for each in initial)
        states += tuple(x.new_zeros(batch, size) for _ in range(count - len(states)))
        outputs: list[Tensor] = []
        for time in reversed(range(length)) if self.reverse else range(length):
            states = self.cell(given[time], states)
            outputs.append(states[0])
        result = torch.stack(outputs) if sequence else states[0][None]
        return result[..., None, None], *(each[None, ..., None, None] for each in states)


def one_way(direction: Direction, count: int, sequence: bool, arity: Arity) -> Compute:
    """Return a layer of one direction and `count` states, with the outputs that it declares."""
    outputs = arity.outputs

    def apply(x: Tensor, *states: Tensor) -> Tensor | tuple[Tensor, ...]:
        results = direction.run(x, states, count, sequence)
        return results[:outputs] if outputs > 1 else results[0]

    return apply


def read_activations(messages: Any, count: int) -> tuple[Activation, ...]:
    """Read the activations of a layer that has `count` of them.

    Raises:
        InputError: if it has another number.
    """
    if len(messages) != count:
        raise InputError(f"It has {len(messages)} activations instead of {count}.")
    return tuple(_activation(each) for each in messages)


def _activation(message: Any) -> Activation:
    """Return an activation; one that gives no numbers has the usual ones."""
    kind = message.WhichOneof("NonlinearityType")
    if kind not in _USUAL or getattr(message, kind).ByteSize():
        return activation_function(message)
    filled = type(message)()
    numbers = getattr(filled, kind)
    numbers.alpha, numbers.beta = _USUAL[kind]
    return activation_function(filled)


def clipped(x: Tensor) -> Tensor:
    """Return a sum clipped to what an activation takes."""
    return x.clamp(-CLIP, CLIP)
