"""Normalize by given statistics, or by those of the values themselves."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import InputError
from validate.coreml.neuralnetwork import weights
from validate.coreml.neuralnetwork.batch_axes import over_batch, require_rank
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer
from validate.coreml.ops import normalization as ops


@layer("batchnorm")
def batch_norm(params: Any, _: Arity) -> Compute:
    """Normalize each channel of `(…, C, H, W)`, then multiply by gamma and add beta."""
    shape = (params.channels,)
    gamma = weights.read(params.gamma, shape, "gamma")
    beta = weights.read(params.beta, shape, "beta")
    epsilon = params.epsilon or 1e-5
    if params.computeMeanVar:
        if params.instanceNormalization:
            return lambda x: over_batch(x, lambda y: ops.instance_norm(y, gamma, beta, epsilon))
        return lambda x: over_batch(
            x, lambda y: functional.batch_norm(y, None, None, gamma, beta, True, 0.0, epsilon)
        )
    mean = weights.read(params.mean, shape, "mean")
    variance = weights.read(params.variance, shape, "variance")
    return lambda x: over_batch(
        x, lambda y: ops.batch_norm(y, mean, variance, gamma, beta, epsilon)
    )


@layer("mvn")
def mean_variance_normalize(params: Any, _: Arity) -> Compute:
    """Subtract the mean of each channel or of all channels; divide by their deviation."""
    axes = (-3, -2, -1) if params.acrossChannels else (-2, -1)
    divide, epsilon = params.normalizeVariance, params.epsilon or 1e-6

    def apply(x: Tensor) -> Tensor:
        require_rank(x, len(axes))
        centred = x - x.mean(axes, keepdim=True)
        if not divide:
            return centred
        return centred * torch.rsqrt(centred.square().mean(axes, keepdim=True) + epsilon)

    return apply


@layer("l2normalize")
def l2_normalize(params: Any, _: Arity) -> Compute:
    """Divide `(…, C, H, W)` by the root of its sum of squares."""
    epsilon = params.epsilon or 1e-6

    def apply(x: Tensor) -> Tensor:
        require_rank(x, 3)
        return ops.l2_norm(x, epsilon)

    return apply


@layer("lrn")
def local_response_norm(params: Any, _: Arity) -> Compute:
    """Divide by a power of the mean square of neighbouring channels."""
    size, alpha, beta, k = params.localSize, params.alpha, params.beta, params.k or 1.0
    if not 1 <= size < 2**31:
        raise InputError(f"It has a window of {size} channels.")
    return lambda x: over_batch(x, lambda y: ops.local_response_norm(y, size, alpha, beta, k))


@layer("layerNormalization")
def layer_norm(params: Any, _: Arity) -> Compute:
    """Normalize over the last dimensions, which have the shape of gamma and beta."""
    shape = tuple(params.normalizedShape)
    gamma = weights.read(params.gamma, shape, "gamma")
    beta = weights.read(params.beta, shape, "beta")
    epsilon = params.eps
    return lambda x: functional.layer_norm(x, shape, gamma, beta, epsilon)


@layer("softmax")
def softmax(_: Any, __: Arity) -> Compute:
    """Return exp(x) over its sum along the channels."""
    return lambda x: torch.softmax(x, -3)


@layer("softmaxND")
def softmax_nd(params: Any, _: Arity) -> Compute:
    """Return exp(x) over its sum along an axis."""
    axis = params.axis
    return lambda x: torch.softmax(x, axis)
