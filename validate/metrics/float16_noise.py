"""Measure how much float16 arithmetic may move a network's logits, on the network itself.

Rounding errors depend on the network far more than on the file: a trained U-Net loses about
one part in a thousand of its logit range, an untrained MobileNet one part in ten. So PyTorch's
own network is run once more with the input and the output of every layer rounded to float16
(arithmetic and weights stay float32), and the distance to its plain run is the noise.

Only float16's precision is noise: values are rounded to its 11 significant bits whatever their
size. What exceeds its range, above or below, is a fault that can be mended (see
`validate.results.ranges`), and must not widen what is tolerated. So is a number that all classes
share, which takes bits from their differences: values of the logits' shape are rounded without it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.deployable import Deployable
from validate.images.reading import Picture
from validate.metrics.comparison import compare, measure
from validate.metrics.decision_values import Scale, decision_values
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager


@dataclass(frozen=True)
class Noise:
    """Hold the largest error as a share of the logit range, and the PSNR in dB, worst picture's.

    `psnr` is None where rounding changes nothing. `magnitude` is the largest logit as a share of
    the range: far above one where all classes share a large number, which float32 rounds too.
    """

    relative_error: float
    psnr: float | None
    magnitude: float = 1.0


def float16_noise(
    deployable: Deployable, pictures: Sequence[tuple[Picture, Outputs]]
) -> Noise | None:
    """Return the noise over some pictures and what the plain network made of them.

    None when rounding ruins the logits (they are no longer finite): then float16 has no
    healthy noise to measure.
    """
    found = []
    with _rounded(deployable.network, _shape_of_classes(pictures[0][1])):
        for image, plain in pictures:
            rounded = Eager(deployable).run(image)
            if not np.isfinite(rounded.logits).all():
                return None
            found.append(measure(compare(plain, rounded, limit=1.0, slack=1.0)))
    psnrs = [metrics.psnr for metrics in found if metrics.psnr is not None]
    return Noise(
        relative_error=max(metrics.relative_error for metrics in found),
        psnr=min(psnrs, default=None),
        magnitude=max(_magnitude(plain) for _, plain in pictures),
    )


def _magnitude(plain: Outputs) -> float:
    scale = Scale.of(decision_values(plain))
    largest = np.abs(plain.logits.reshape(len(scale.range), -1)).max(axis=1)
    return float((largest / scale.range).max())


def _shape_of_classes(plain: Outputs) -> tuple[int, ...] | None:
    """Return the shape of logits `(1, C, H, W)` that are compared with each other, else None."""
    exclusive = len(plain.logits) > 1 and not plain.independent
    return (1, *plain.logits.shape) if exclusive else None


@contextmanager
def _rounded(network: nn.Module, classes: tuple[int, ...] | None) -> Iterator[None]:
    layers = [module for module in network.modules() if not any(module.children())]
    hooks = [
        layer.register_forward_hook(lambda _layer, _args, out: _round(out, classes))
        for layer in layers
    ]
    hooks.append(
        network.register_forward_pre_hook(
            lambda _network, args: tuple(_round(each, None) for each in args)
        )
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _round(value: object, classes: tuple[int, ...] | None) -> object:
    if not isinstance(value, Tensor) or value.dtype != torch.float32:
        return value
    if value.shape != classes:
        return significant_bits(value)
    common = value.mean(dim=1, keepdim=True)
    return significant_bits(value - common) + common


def significant_bits(value: Tensor) -> Tensor:
    """Return float32 `value` rounded to 11 significant bits (T. J. Dekker's splitting, 1971)."""
    scaled = value * (2.0**13 + 1)
    return scaled - (scaled - value)
