"""Normalize by given statistics, or by those of the values themselves."""

import torch
from torch import Tensor
from torch.nn import functional

from validate.coreml.limits import require_size, require_work
from validate.coreml.ops.activation import per_channel
from validate.coreml.registry import Ints, op


@op("batch_norm")
def batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """Normalize each channel of `(N, C, *D)` by its given mean and variance."""
    return functional.batch_norm(x, mean, variance, gamma, beta, False, 0.0, epsilon)


def _standardize(x: Tensor, axes: tuple[int, ...], epsilon: float) -> Tensor:
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + epsilon)


@op("instance_norm")
def instance_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-5
) -> Tensor:
    """Normalize each channel of each example of `(N, C, *D)` by its own mean and variance."""
    result = _standardize(x, tuple(range(2, x.dim())), epsilon)
    if gamma is not None:
        result = result * per_channel(gamma, x)
    return result if beta is None else result + per_channel(beta, x)


@op("layer_norm")
def layer_norm(
    x: Tensor,
    axes: Ints | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """Normalize over axes; gamma and beta have the shape of those axes."""
    chosen = range(x.dim()) if axes is None else axes
    dims = tuple(sorted({axis % x.dim() for axis in chosen}))
    if dims == tuple(range(x.dim() - len(dims), x.dim())):
        return functional.layer_norm(x, x.shape[dims[0] :], gamma, beta, epsilon)
    shape = [size if axis in dims else 1 for axis, size in enumerate(x.shape)]
    result = _standardize(x, dims, epsilon)
    if gamma is not None:
        result = result * gamma.reshape(shape)
    return result if beta is None else result + beta.reshape(shape)


@op("l2_norm")
def l2_norm(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    """Divide by the root of the sum of squares over the last three axes."""
    return x * torch.rsqrt(x.square().sum((-3, -2, -1), keepdim=True) + epsilon)


@op("local_response_norm")
def local_response_norm(
    x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by (k + alpha / size times the sum of squares of neighbouring channels) ** beta.

    Channels are the third axis from the end, so `(C, H, W)` has no batch.
    """
    images = x if x.dim() > 3 else x[None]
    require_size((len(images), images.shape[1] + max(size, 0), *images.shape[2:]), "its sums")
    require_work(x.numel() * max(size, 0), "It")
    return functional.local_response_norm(images, size, alpha, beta, k).reshape(x.shape)
