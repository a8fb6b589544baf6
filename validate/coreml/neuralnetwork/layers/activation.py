"""Compute activation layers; the recurrent layers use the same functions inside."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.batch_axes import require_rank
from validate.coreml.neuralnetwork.registry import Arity, Compute, choose, layer
from validate.coreml.ops import activation as ops

Activation = Callable[[Tensor], Tensor]


@layer("activation")
def activation(params: Any, _: Arity) -> Compute:
    """Apply any of the functions of `ActivationParams`."""
    return activation_function(params)


def activation_function(params: Any) -> Activation:
    """Return the function that an `ActivationParams` message describes.

    Raises:
        InputError: if it names none.
    """
    kind = params.WhichOneof("NonlinearityType")
    if kind is None:
        raise InputError("It names no activation function.")
    return _FUNCTIONS[kind](getattr(params, kind))


def _with_alpha(function: Callable[[Tensor, float], Tensor]) -> Callable[[Any], Activation]:
    def read(params: Any) -> Activation:
        alpha = params.alpha
        return lambda x: function(x, alpha)

    return read


def _with_alpha_beta(
    function: Callable[[Tensor, float, float], Tensor],
) -> Callable[[Any], Activation]:
    def read(params: Any) -> Activation:
        alpha, beta = params.alpha, params.beta
        return lambda x: function(x, alpha, beta)

    return read


def _prelu(params: Any) -> Activation:
    alpha = _channels(params.alpha, "alpha")

    def apply(x: Tensor) -> Tensor:
        _require_channels(x, alpha)
        return torch.where(x >= 0, x, alpha * x)

    return apply


def _parametric_softplus(params: Any) -> Activation:
    alpha, beta = _channels(params.alpha, "alpha"), _channels(params.beta, "beta")

    def apply(x: Tensor) -> Tensor:
        _require_channels(x, alpha)
        _require_channels(x, beta)
        return alpha * ops.softplus(beta * x)

    return apply


_FUNCTIONS: dict[str, Callable[[Any], Activation]] = {
    "linear": _with_alpha_beta(ops.linear_activation),
    "ReLU": lambda _: torch.relu,
    "leakyReLU": _with_alpha(ops.leaky_relu),
    "thresholdedReLU": _with_alpha(ops.thresholded_relu),
    "PReLU": _prelu,
    "tanh": lambda _: torch.tanh,
    "scaledTanh": _with_alpha_beta(ops.scaled_tanh),
    "sigmoid": lambda _: torch.sigmoid,
    "sigmoidHard": _with_alpha_beta(ops.sigmoid_hard),
    "ELU": _with_alpha(ops.elu),
    "softsign": lambda _: ops.softsign,
    "softplus": lambda _: ops.softplus,
    "parametricSoftplus": _parametric_softplus,
}

layer("clampedReLU")(lambda params, _: _with_alpha_beta(ops.clamped_relu)(params))


@layer("gelu")
def gelu(params: Any, _: Arity) -> Compute:
    """Return x times the normal distribution function, exact or approximated."""
    mode = choose(("EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"), params.mode, "mode")
    return lambda x: ops.gelu(x, mode)


def _channels(message: Any, what: str) -> Tensor:
    """Return a parameter of one value, or one for each channel, to broadcast over (C, H, W)."""
    count = max(
        len(message.floatValue),
        len(message.float16Value) // 2,
        _quantized_count(message),
    )
    return weights.read(message, (count,), what).reshape(-1, 1, 1)


def _quantized_count(message: Any) -> int:
    bits = message.quantization.numberOfBits
    return math.floor(8 * len(message.rawValue) / bits) if 0 < bits <= 8 else 0


def _require_channels(x: Tensor, parameter: Tensor) -> None:
    require_rank(x, 3)
    if parameter.shape[0] not in (1, x.shape[-3]):
        raise InputError(f"It has {parameter.shape[0]} values for {x.shape[-3]} channels.")
