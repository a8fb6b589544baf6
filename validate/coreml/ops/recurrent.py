# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Run rnn, gru and lstm over a sequence `(S, N, I)`, with states `(N, H)`.

With the direction "reverse" the sequence is read from its end, and the output stays in the order of
reading; the backward half of "bidirectional" is turned back into the order of the input. States
declared fp16 are rounded at every step, as the output that repeats them is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.execution.rounding import round_fp16
from validate.coreml.limits import require_size
from validate.coreml.registry import Site, op

Activation = Callable[[Tensor], Tensor]

_ACTIVATIONS: dict[str, Activation] = {
    "tanh": torch.tanh,
    "scaled_tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda x: (0.2 * x + 0.5).clamp(0, 1),
    "sigmoid_hard": lambda x: (0.2 * x + 0.5).clamp(0, 1),
    "relu": torch.relu,
    "linear": lambda x: x,
}


@op("rnn")
def rnn(
    site: Site,
    x: Tensor,
    initial_h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[Tensor, Tensor]:
    """Return h = activation(W_ih x + W_hh h + b)."""
    activate, rounded = _activation(activation), _rounding(site)
    inputs = _project(_in_order(x, direction), weight_ih, bias)
    states, h = [], initial_h
    for step in inputs:
        h = rounded(activate(step + h @ weight_hh.T))
        states.append(h)
    return _sequence(states, h, output_sequence), h


@op("gru")
def gru(
    site: Site,
    x: Tensor,
    initial_h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return h = (1 - z) o + z h, with the gates [reset, output, update] in the weights.

    The reset gate is applied to h before its product with the weights; with `reset_after` (iOS 18)
    it is applied to that product and its bias.
    """
    gate, activate, rounded = (
        _activation(recurrent_activation),
        _activation(activation),
        _rounding(site),
    )
    hidden_bias = weight_hh.new_zeros(len(weight_hh)) if bias is None else bias
    inputs = _project(_in_order(x, direction), weight_ih, input_bias)
    w_r, w_o, w_z = weight_hh.chunk(3)
    b_r, b_o, b_z = hidden_bias.chunk(3)
    states, h = [], initial_h
    for step in inputs:
        x_r, x_o, x_z = step.chunk(3, dim=-1)
        r = gate(x_r + h @ w_r.T + b_r)
        z = gate(x_z + h @ w_z.T + b_z)
        candidate = r * (h @ w_o.T + b_o) if reset_after else (r * h) @ w_o.T + b_o
        h = rounded((1 - z) * activate(x_o + candidate) + z * h)
        states.append(h)
    return _sequence(states, h, output_sequence), h


@dataclass(frozen=True, slots=True)
class LstmCell:
    """Hold what both directions of an LSTM share."""

    gate: Activation
    candidate: Activation
    output: Activation
    clip: float | None
    rounded: Activation


@op("lstm")
def lstm(
    site: Site,
    x: Tensor,
    initial_h: Tensor,
    initial_c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    peephole: Tensor | None = None,
    weight_ih_back: Tensor | None = None,
    weight_hh_back: Tensor | None = None,
    bias_back: Tensor | None = None,
    peephole_back: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return c = f c + i z, h = o activation(c), with the gates [i, f, o, z] in the weights."""
    cell = LstmCell(
        _activation(recurrent_activation),
        _activation(cell_activation),
        _activation(activation),
        clip,
        _rounding(site),
    )
    forward = (weight_ih, weight_hh, bias, peephole)
    if direction != "bidirectional":
        inputs = _project(_in_order(x, direction), weight_ih, bias)
        states, h, c = run_lstm(cell, inputs, (initial_h, initial_c), weight_hh, peephole)
        return _sequence(states, h, output_sequence), h, c
    if weight_ih_back is None or weight_hh_back is None:
        raise InputError("It is bidirectional but lacks its weights of the backward direction.")
    backward = (weight_ih_back, weight_hh_back, bias_back, peephole_back)
    halves = []
    for number, (w_ih, w_hh, b, p) in enumerate((forward, backward)):
        inputs = _project(x.flip(0) if number else x, w_ih, b)
        initial = tuple(each.chunk(2, dim=-1)[number] for each in (initial_h, initial_c))
        states, h, c = run_lstm(cell, inputs, (initial[0], initial[1]), w_hh, p)
        sequence = _sequence(states, h, output_sequence)
        halves.append((sequence.flip(0) if number else sequence, h, c))
    joined = [torch.cat(pair, dim=-1) for pair in zip(*halves, strict=True)]
    return joined[0], joined[1], joined[2]


def run_lstm(
    cell: LstmCell,
    inputs: Tensor,
    initial: tuple[Tensor, Tensor],
    weight_hh: Tensor,
    peephole: Tensor | None,
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Run one direction over projected inputs `(S, N, 4 H)`; return all h, the last h and c."""
    h, c = initial
    p_i, p_f, p_o = (peephole if peephole is not None else h.new_zeros(3)).chunk(3)
    states = []
    for step in inputs:
        i, f, o, z = (step + h @ weight_hh.T).chunk(4, dim=-1)
        c = cell.gate(f + c * p_f) * c + cell.gate(i + c * p_i) * cell.candidate(z)
        if cell.clip is not None:
            c = c.clamp(-cell.clip, cell.clip)
        c = cell.rounded(c)
        h = cell.rounded(cell.gate(o + c * p_o) * cell.output(c))
        states.append(h)
    return states, h, c


def _activation(name: str) -> Activation:
    if name.lower() not in _ACTIVATIONS:
        raise InputError(f"It has the unknown activation {name!r}.")
    return _ACTIVATIONS[name.lower()]


def _rounding(site: Site) -> Activation:
    declared = site.outputs[0] if site.outputs else None
    fp16 = isinstance(declared, ir.TensorType) and declared.dtype.name == "fp16"
    return round_fp16 if site.rounds and fp16 else lambda x: x


def _in_order(x: Tensor, direction: str) -> Tensor:
    if x.dim() != 3:
        raise InputError(f"It takes a sequence of rank 3, not {x.dim()}.")
    if direction not in ("forward", "reverse"):
        raise InputError(f"It has the unknown direction {direction!r}.")
    return x.flip(0) if direction == "reverse" else x


def _project(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    require_size((*x.shape[:-1], len(weight)), "Its projected input")
    return torch.nn.functional.linear(x, weight, bias)


def _sequence(states: list[Tensor], last: Tensor, whole: bool) -> Tensor:
    return torch.stack(states) if whole and states else last.unsqueeze(0)
