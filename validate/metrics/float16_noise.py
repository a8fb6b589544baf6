"""How much float16 arithmetic may move a network's logits: measured on the network itself.

Rounding errors depend on the network far more than on the file: a trained U-Net loses about
one part in a thousand of its logit range, an untrained MobileNet one part in ten. So PyTorch's
own network is run once more with the input and the output of every layer rounded to float16
(arithmetic and weights stay float32), and the distance to its plain run is the noise.

Only float16's precision is noise: values are rounded to its 11 significant bits whatever their
size. What exceeds its range, above or below, is a fault that can be mended (see
`validate.results.ranges`), and must not widen what is tolerated.
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
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager


@dataclass(frozen=True)
class Noise:
    """The largest error as a share of the logit range, and the PSNR in dB, of the worst picture.

    `psnr` is None where rounding changes nothing.
    """

    relative_error: float
    psnr: float | None


def float16_noise(
    deployable: Deployable, pictures: Sequence[tuple[Picture, Outputs]]
) -> Noise | None:
    """The noise over some pictures and what the plain network made of them.

    None when rounding ruins the logits (they are no longer finite): then float16 has no
    healthy noise to measure.
    """
    found = []
    with _rounded(deployable.network):
        for image, plain in pictures:
            rounded = Eager(deployable).run(image)
            if not np.isfinite(rounded.logits).all():
                return None
            found.append(measure(compare(plain, rounded, limit=1.0, slack=1.0)))
    psnrs = [metrics.psnr for metrics in found if metrics.psnr is not None]
    return Noise(max(metrics.relative_error for metrics in found), min(psnrs, default=None))


@contextmanager
def _rounded(network: nn.Module) -> Iterator[None]:
    layers = [module for module in network.modules() if not any(module.children())]
    hooks = [
        layer.register_forward_hook(lambda _layer, _args, out: _round(out)) for layer in layers
    ]
    hooks.append(network.register_forward_pre_hook(lambda _network, args: tuple(map(_round, args))))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _round(value: object) -> object:
    if isinstance(value, Tensor) and value.dtype == torch.float32:
        return significant_bits(value)
    return value


def significant_bits(value: Tensor) -> Tensor:
    """Float32 `value` rounded to 11 significant bits (T. J. Dekker's splitting, 1971)."""
    scaled = value * (2.0**13 + 1)
    return scaled - (scaled - value)
