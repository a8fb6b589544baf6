"""Compute activations: elementwise functions of one tensor, with their parameters."""

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.registry import op


def per_channel(values: Tensor, x: Tensor) -> Tensor:
    """Shape one value a channel so that it broadcasts against `(N, C, *D)`."""
    return values.reshape(-1, *(1,) * (x.dim() - 2))


@op("relu", exact=True)
def relu(x: Tensor) -> Tensor:
    """Return max(x, 0)."""
    return torch.relu(x)


@op("relu6", exact=True)
def relu6(x: Tensor) -> Tensor:
    """Return min(max(x, 0), 6)."""
    return x.clamp(0, 6)


@op("thresholded_relu", exact=True)
def thresholded_relu(x: Tensor, alpha: float) -> Tensor:
    """Return x where x >= alpha, otherwise 0."""
    return torch.where(x >= alpha, x, 0.0)


@op("clamped_relu")
def clamped_relu(x: Tensor, alpha: float, beta: float) -> Tensor:
    """Return min(beta, x) where x >= 0, otherwise min(beta, alpha x)."""
    return torch.where(x >= 0, x, alpha * x).clamp(max=beta)


@op("leaky_relu")
def leaky_relu(x: Tensor, alpha: float) -> Tensor:
    """Return x where x >= 0, otherwise alpha x."""
    return functional.leaky_relu(x, alpha)


@op("prelu")
def prelu(x: Tensor, alpha: Tensor) -> Tensor:
    """Return x where x >= 0, otherwise alpha x with one alpha a channel."""
    return torch.where(x >= 0, x, per_channel(alpha, x) * x)


@op("elu")
def elu(x: Tensor, alpha: float) -> Tensor:
    """Return x where x > 0, otherwise alpha (exp(x) - 1)."""
    return functional.elu(x, alpha)


@op("gelu")
def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    """Return x Phi(x), exact or by its approximation with tanh or sigmoid."""
    if mode == "EXACT":
        return functional.gelu(x)
    if mode == "TANH_APPROXIMATION":
        return functional.gelu(x, approximate="tanh")
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    raise InputError(f"It has the unknown mode {mode!r}.")


@op("sigmoid")
def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return torch.sigmoid(x)


@op("sigmoid_hard")
def sigmoid_hard(x: Tensor, alpha: float, beta: float) -> Tensor:
    """Return min(max(alpha x + beta, 0), 1)."""
    return (alpha * x + beta).clamp(0, 1)


@op("silu")
def silu(x: Tensor) -> Tensor:
    """Return x sigmoid(x)."""
    return functional.silu(x)


@op("linear_activation")
def linear_activation(x: Tensor, alpha: float, beta: float) -> Tensor:
    """Return alpha x + beta."""
    return alpha * x + beta


@op("scaled_tanh")
def scaled_tanh(x: Tensor, alpha: float, beta: float) -> Tensor:
    """Return alpha tanh(beta x)."""
    return alpha * torch.tanh(beta * x)


@op("softplus")
def softplus(x: Tensor) -> Tensor:
    """Return log(1 + exp(x))."""
    return torch.logaddexp(x, torch.zeros(()))


@op("softplus_parametric")
def softplus_parametric(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """Return alpha log(1 + exp(beta x)) with one alpha and beta a channel."""
    return per_channel(alpha, x) * softplus(per_channel(beta, x) * x)


@op("softsign")
def softsign(x: Tensor) -> Tensor:
    """Return x / (1 + |x|)."""
    return functional.softsign(x)


@op("softmax")
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return exp(x) over its sum along an axis."""
    return torch.softmax(x, axis)
