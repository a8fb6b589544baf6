"""Orthogonalised descent, which trains convolutions in few steps.

The momentum of a weight, seen as a matrix G with one row per output channel, is replaced by the
nearest matrix with orthonormal rows,

    D = (G Gᵀ)^(-1/2) G

so that every direction the gradient speaks of moves equally far, the faint ones too (Jordan et
al., "Muon: an optimizer for hidden layers in neural networks", 2024; here the root is exact, by
eigenvalues). A batch norm follows each convolution and undoes any scaling of its weight, so the
weight's length is held constant, and the rate is the share of that length moved in one step.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.85
FAINTEST = 1e-4
"""Eigenvalues of G Gᵀ below this share of the largest are noise, and are not amplified further."""


class OrthogonalDescent:
    """Updates convolution weights `(out, in, kH, kW)` in place from their gradients."""

    def __init__(self, weights: Iterable[nn.Parameter]) -> None:
        self._weights = list(weights)
        self._lengths = [weight.detach().norm() for weight in self._weights]
        self._momenta = [torch.zeros_like(weight) for weight in self._weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step with Nesterov momentum; the gradients are used up."""
        states = zip(self._weights, self._lengths, self._momenta, strict=True)
        for weight, length, momentum in states:
            if weight.grad is None:
                continue
            momentum.mul_(MOMENTUM).add_(weight.grad)
            direction = orthogonalised(weight.grad + MOMENTUM * momentum)
            weight.sub_(direction * (rate * length / direction.norm()))
            weight.mul_(length / weight.norm())
            weight.grad = None


def orthogonalised(gradient: Tensor) -> Tensor:
    """The nearest tensor of the same shape whose rows (its first axis) are orthonormal."""
    rows = gradient.flatten(1)
    values, vectors = torch.linalg.eigh(rows @ rows.T)
    root = values.clamp_min(FAINTEST * float(values[-1])).rsqrt()
    whitening: Tensor = (vectors * root) @ vectors.T
    return (whitening @ rows).reshape_as(gradient)
