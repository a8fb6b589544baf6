"""Run long short-term memories over `(Seq, N, I, 1, 1)`, in one direction or both."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.layers.activation import Activation
from validate.coreml.neuralnetwork.layers.recurrent import (
    CLIP,
    Cell,
    Direction,
    Gates,
    States,
    clipped,
    one_way,
    read_activations,
    read_gates,
)
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer


@layer("uniDirectionalLSTM", inputs=(1, 3), outputs=(1, 3))
def lstm(params: Any, arity: Arity) -> Compute:
    """Run a long short-term memory over the sequence, forwards or backwards."""
    direction = _lstm_direction(
        params, params.weightParams, params.activations, params.reverseInput
    )
    return one_way(direction, 2, params.params.sequenceOutput, arity)


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


def _lstm_direction(params: Any, message: Any, activations: Any, reverse: bool) -> Direction:
    options = params.params
    names = ("inputGate", "forgetGate", "blockInput", "outputGate")
    gates = read_gates(message, names, params, options.hasBiasVectors)
    if options.forgetBias:
        gates = _with_forget_bias(gates)
    peepholes: States = ()
    if options.hasPeepholeVectors:
        fields = [f"{name}PeepholeVector" for name in ("inputGate", "forgetGate", "outputGate")]
        size = (gates.size,)
        peepholes = tuple(weights.read(getattr(message, each), size, each) for each in fields)
    functions = read_activations(activations, 3)
    coupled, limit = options.coupledInputAndForgetGate, options.cellClipThreshold or CLIP
    return Direction(gates, _lstm_cell(gates, functions, peepholes, coupled, limit), reverse)


def _with_forget_bias(gates: Gates) -> Gates:
    size = gates.size
    bias = torch.zeros(4 * size) if gates.bias is None else gates.bias.clone()
    bias[size : 2 * size] += 1.0
    return Gates(size, gates.inputs, gates.recursion, bias)


def _lstm_cell(
    gates: Gates,
    functions: Sequence[Activation],
    peepholes: States,
    coupled: bool,
    limit: float,
) -> Cell:
    inner, cell_function, outer = functions
    recursion = gates.recursion
    zero = torch.zeros(())
    peep_input, peep_forget, peep_output = peepholes or (zero, zero, zero)

    def cell(given: Tensor, states: States) -> States:
        y, c = states
        total_i, total_f, total_z, total_o = (given + y @ recursion.T).chunk(4, -1)
        i = inner(clipped(total_i + peep_input * c))
        f = 1 - i if coupled else inner(clipped(total_f + peep_forget * c))
        z = cell_function(clipped(total_z))
        c = (c * f + i * z).clamp(-limit, limit)
        o = inner(clipped(total_o + peep_output * c))
        return outer(c) * o, c

    return cell
