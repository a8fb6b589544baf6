"""Run recurrent layers over `(Seq, N, I, 1, 1)`: simple, GRU and LSTM (`NeuralNetwork.proto`).

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

_CLIP = 50.0
_USUAL = {"linear": (1.0, 0.0), "sigmoidHard": (0.2, 0.5), "scaledTanh": (1.0, 1.0)}
"""Alpha and beta where a recurrent layer gives none: coremltools writes none."""
_States = tuple[Tensor, ...]
_Cell = Callable[[Tensor, _States], _States]
"""Takes what the input adds to the gates `(N, G H)` and the states; returns the new states."""


@dataclass(frozen=True, slots=True)
class _Gates:
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


def _read_gates(message: Any, names: Sequence[str], params: Any, has_bias: bool) -> _Gates:
    """Read the fields such as updateGateWeightMatrix of each gate."""
    rows, columns = params.outputVectorSize, params.inputVectorSize

    def read(kind: str, shape: tuple[int, ...]) -> Tensor:
        fields = [f"{name}{kind}" for name in names]
        return torch.cat([weights.read(getattr(message, each), shape, each) for each in fields])

    return _Gates(
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
    gates = _Gates(
        rows,
        weights.read(params.weightMatrix, (rows, columns), "weight matrix"),
        recursion,
        weights.read(params.biasVector, (rows,), "bias") if params.hasBiasVector else None,
    )
    function = _activation(params.activation)

    def cell(given: Tensor, states: _States) -> _States:
        return (function(_clip(given + states[0] @ recursion.T)),)

    direction = _Direction(gates, cell, params.reverseInput)
    return _one_way(direction, 1, params.sequenceOutput, arity)


@layer("gru", inputs=(1, 2), outputs=(1, 2))
def gru(params: Any, arity: Arity) -> Compute:
    """Run a gated recurrent unit: the reset gate acts on the state before its matrix."""
    names = ("updateGate", "resetGate", "outputGate")
    gates = _read_gates(params, names, params, params.hasBiasVectors)
    inner, outer = _activations(params.activations, 2)
    size = gates.size
    gating, candidate = gates.recursion.split([2 * size, size])

    def cell(given: Tensor, states: _States) -> _States:
        (y,) = states
        update, reset = inner(_clip(given[:, : 2 * size] + y @ gating.T)).chunk(2, -1)
        output = outer(_clip(given[:, 2 * size :] + (y * reset) @ candidate.T))
        return ((1 - update) * output + update * y,)

    direction = _Direction(gates, cell, params.reverseInput)
    return _one_way(direction, 1, params.sequenceOutput, arity)


@layer("uniDirectionalLSTM", inputs=(1, 3), outputs=(1, 3))
def lstm(params: Any, arity: Arity) -> Compute:
    """Run a long short-term memory over the sequence, forwards or backwards."""
    direction = _lstm_direction(
        params, params.weightParams, params.activations, params.reverseInput
    )
    return _one_way(direction, 2, params.params.sequenceOutput, arity)


@layer("biDirectionalLSTM", inputs=(1, 5), outputs=(1, 5))
def bidirectional_lstm(params: Any, arity: Arity) -> Compute:
    """Run a long short-term memory in both directions, side by side in the channels."""
    if len(params.weightParams) != 2:
        raise InputError(f"It has weights of {len(params.weightParams)} directions instead of 2.")
    directions = (
        _lstm_direction(params, params.weightParams[0], params.activationsForwardLSTM, False),
        _lstm_direction(params, params.weightParams[1], params.activationsBackwardLSTM, True),
    )
    sequence, outputs = params.params.sequenceOutput, arity.outputs

    def apply(x: Tensor, *states: Tensor) -> Tensor | tuple[Tensor, ...]:
        forward, *forward_states = directions[0].run(x, states[:2], 2, sequence)
        backward, *backward_states = directions[1].run(x, states[2:], 2, sequence)
        both = torch.cat((forward, backward.flip(0)), -3)
        results = (both, *forward_states, *backward_states)
        return results[:outputs] if outputs > 1 else both

    return apply


@dataclass(frozen=True, slots=True)
class _Direction:
    gates: _Gates
    cell: _Cell
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
        states: _States = tuple(each.reshape(batch, size) for each in initial)
        states += tuple(x.new_zeros(batch, size) for _ in range(count - len(states)))
        outputs: list[Tensor] = []
        for time in reversed(range(length)) if self.reverse else range(length):
            states = self.cell(given[time], states)
            outputs.append(states[0])
        result = torch.stack(outputs) if sequence else states[0][None]
        return result[..., None, None], *(each[None, ..., None, None] for each in states)


def _one_way(direction: _Direction, count: int, sequence: bool, arity: Arity) -> Compute:
    outputs = arity.outputs

    def apply(x: Tensor, *states: Tensor) -> Tensor | tuple[Tensor, ...]:
        results = direction.run(x, states, count, sequence)
        return results[:outputs] if outputs > 1 else results[0]

    return apply


def _lstm_direction(params: Any, message: Any, activations: Any, reverse: bool) -> _Direction:
    options = params.params
    names = ("inputGate", "forgetGate", "blockInput", "outputGate")
    gates = _read_gates(message, names, params, options.hasBiasVectors)
    if options.forgetBias:
        gates = _with_forget_bias(gates)
    peepholes: _States = ()
    if options.hasPeepholeVectors:
        fields = [f"{name}PeepholeVector" for name in ("inputGate", "forgetGate", "outputGate")]
        size = (gates.size,)
        peepholes = tuple(weights.read(getattr(message, each), size, each) for each in fields)
    functions = _activations(activations, 3)
    coupled, limit = options.coupledInputAndForgetGate, options.cellClipThreshold or _CLIP
    return _Direction(gates, _lstm_cell(gates, functions, peepholes, coupled, limit), reverse)


def _with_forget_bias(gates: _Gates) -> _Gates:
    size = gates.size
    bias = torch.zeros(4 * size) if gates.bias is None else gates.bias.clone()
    bias[size : 2 * size] += 1.0
    return _Gates(size, gates.inputs, gates.recursion, bias)


def _lstm_cell(
    gates: _Gates,
    functions: Sequence[Activation],
    peepholes: _States,
    coupled: bool,
    limit: float,
) -> _Cell:
    inner, cell_function, outer = functions
    recursion = gates.recursion
    zero = torch.zeros(())
    peep_input, peep_forget, peep_output = peepholes or (zero, zero, zero)

    def cell(given: Tensor, states: _States) -> _States:
        y, c = states
        total_i, total_f, total_z, total_o = (given + y @ recursion.T).chunk(4, -1)
        i = inner(_clip(total_i + peep_input * c))
        f = 1 - i if coupled else inner(_clip(total_f + peep_forget * c))
        z = cell_function(_clip(total_z))
        c = (c * f + i * z).clamp(-limit, limit)
        o = inner(_clip(total_o + peep_output * c))
        return outer(c) * o, c

    return cell


def _activations(messages: Any, count: int) -> tuple[Activation, ...]:
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


def _clip(x: Tensor) -> Tensor:
    return x.clamp(-_CLIP, _CLIP)
