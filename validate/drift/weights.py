"""Compare a departing operation's weights with those of its PyTorch modules.

Converters fold a batch norm into the convolution before it, so that is done here too, in float64:

    s  = γ / √(σ² + ε)
    W' = W · s        for each output channel
    b' = (b - μ) · s + β
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from validate.drift.operations import Weights
from validate.results.drift import NO_NUMBER, WeightDifference

Convolution = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
Norm = nn.BatchNorm2d | nn.BatchNorm1d
EXPLAINED = {"float16": 2.0**-10, "float32": 2.0**-18}
"""As shares of the largest weight: one rounding to float16; what folding in float32 rounds."""
SMALLEST_NORMAL = 2.0**-14


def weight_differences(
    stored: Weights, modules: Sequence[tuple[str, nn.Module]]
) -> tuple[WeightDifference, ...]:
    """Compare each weight in `stored` with that of `modules`, the ones on the way to the value.

    Modules come with their paths, in the order of running. Where one is of another kind, a
    learned scale say, it is not known what was folded, and only weights that are too small for
    float16 are told.
    """
    source = " + ".join(path for path, _ in modules)
    small = [name for name, array in stored.items() if name == "weight" and _vanishes(array)]
    if small:
        return tuple(_vanished(name, stored[name], source) for name in small)
    kinds = [Convolution | Norm, *[Norm] * (len(modules) - 1)]
    if not modules or not all(
        isinstance(module, kind) for (_, module), kind in zip(modules, kinds, strict=True)
    ):
        return ()
    expected = _folded([module for _, module in modules])
    return tuple(
        _compared(parameter, array, expected[parameter], source)
        for parameter, array in stored.items()
        if parameter in expected
    )


def _vanishes(array: NDArray[np.generic]) -> bool:
    """Tell whether float16 keeps only a part of the digits of even the largest weight."""
    return array.dtype == np.float16 and 0 < np.abs(array).max(initial=0) < SMALLEST_NORMAL


def _vanished(parameter: str, array: NDArray[np.generic], source: str) -> WeightDifference:
    largest = float(np.abs(array).max())
    change = (
        f"is too small for float16: its largest is {largest:.2g}, digits are lost below 6.1e-05"
    )
    return WeightDifference(parameter, source, None, EXPLAINED["float16"], change)


def _folded(modules: Sequence[nn.Module]) -> dict[str, Tensor]:
    first, norms = modules[0], [each for each in modules if isinstance(each, Norm)]
    if isinstance(first, Norm):
        return _of_norm(first)
    if not isinstance(first, Convolution):
        raise TypeError(f"A {type(first).__name__} has no weight to fold batch norms into.")
    weight = first.weight.detach().double()
    bias = torch.zeros(_channels(first)).double()
    if first.bias is not None:
        bias = first.bias.detach().double()
    for norm in norms:
        kept = _of_norm(norm)
        scale = kept["gamma"] / (kept["variance"] + norm.eps).sqrt()
        weight = _scaled(first, weight, scale)
        bias = (bias - kept["mean"]) * scale + kept["beta"]
    return {"weight": weight, "bias": bias}


def _of_norm(norm: Norm) -> dict[str, Tensor]:
    count = norm.num_features
    values = {
        "gamma": norm.weight if norm.weight is not None else torch.ones(count),
        "beta": norm.bias if norm.bias is not None else torch.zeros(count),
        "mean": norm.running_mean if norm.running_mean is not None else torch.zeros(count),
        "variance": norm.running_var if norm.running_var is not None else torch.ones(count),
    }
    return {name: value.detach().double() for name, value in values.items()}


def _channels(module: Convolution) -> int:
    return module.out_features if isinstance(module, nn.Linear) else module.out_channels


def _scaled(module: nn.Module, weight: Tensor, scale: Tensor) -> Tensor:
    """Multiply every output channel by its scale; those of a transposed convolution are second."""
    if not isinstance(module, nn.ConvTranspose2d):
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    groups = module.groups
    grouped = weight.reshape(groups, -1, *weight.shape[1:])
    return (grouped * scale.reshape(groups, 1, -1, 1, 1)).reshape(weight.shape)


def _compared(
    parameter: str, stored: NDArray[np.generic], folded: Tensor, source: str
) -> WeightDifference:
    explained = EXPLAINED["float16" if stored.dtype == np.float16 else "float32"]
    actual, expected = stored.astype(np.float64), folded.numpy()
    if actual.size != expected.size:
        return WeightDifference(parameter, source, None, explained, "has another shape")
    actual = actual.reshape(expected.shape)
    largest, error = np.abs(expected).max(initial=0), np.abs(actual - expected).max(initial=0)
    difference = float(error / largest) if largest else NO_NUMBER if error else 0.0
    difference = min(difference, NO_NUMBER) if np.isfinite(difference) else NO_NUMBER
    change = "" if difference <= explained else _change(actual, expected, explained)
    return WeightDifference(parameter, source, difference, explained, change)


def _change(actual: NDArray[np.float64], expected: NDArray[np.float64], explained: float) -> str:
    """Return in words what was done to the weights, where that is simple."""
    if not np.isfinite(actual).all():
        return "is not finite"
    if not actual.any():
        return "is all zero"
    scale = float(np.abs(expected).max())
    factor = float((actual * expected).sum() / (expected * expected).sum()) if scale else 0.0
    if factor and np.abs(actual - factor * expected).max() <= 4 * explained * abs(factor) * scale:
        return "has the opposite sign" if abs(factor + 1) < 1e-3 else f"is {factor:.4g} times it"
    if np.abs(np.sort(actual, axis=None) - np.sort(expected, axis=None)).max() <= explained * scale:
        return "has the same values in another order"
    return ""
