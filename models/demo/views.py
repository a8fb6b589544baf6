"""Cut views of the samples for a network that is fitted: crops at many sizes, in many lights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.demo.samples import LabelledPhoto

ZOOM = (0.8, 1.3)
"""Height and width of the scaled picture, apart from each other, as shares of the usual size."""
LIGHT = (0.85, 1.15)
GRAIN = 0.02
"""Largest standard deviation of the noise on a view, where white is 1."""
AIMED = 0.6
"""Share of the views that are sure to show damage, where there is any."""


@dataclass(frozen=True)
class Views:
    """Pictures of one size with their true masks."""

    images: Tensor
    """`(N, 3, H, W)`, RGB in [0, 1]."""
    masks: Tensor
    """`(N, 1, H, W)`, share of breakage in [0, 1]."""

    def at(self, place: int) -> Views:
        """One of them, N = 1."""
        return Views(self.images[place : place + 1], self.masks[place : place + 1])

    def resized(self, height: int, width: int, *, antialias: bool = False) -> Views:
        """The same at another size: the pictures bilinear, the masks by area."""
        return Views(
            F.interpolate(self.images, (height, width), mode="bilinear", antialias=antialias),
            F.interpolate(self.masks, (height, width), mode="area"),
        )


def originals(samples: Sequence[LabelledPhoto]) -> Views:
    """The samples at their own size."""
    photos = np.stack([sample.photo for sample in samples]).transpose(0, 3, 1, 2)
    masks = np.stack([sample.mask for sample in samples])[:, None]
    return Views(
        torch.from_numpy(photos / np.float32(255)), torch.from_numpy(masks.astype(np.float32))
    )


def random_view(sample: Views, size: int, crop: int, chance: torch.Generator) -> Views:
    """A square crop of one sample (N = 1), scaled to about `size` × `size` before."""
    height, width = (int(size * _between(*ZOOM, chance)) for _ in range(2))
    scaled = sample.resized(height, width, antialias=_between(0, 1, chance) < 0.5)
    top, left = _corner(scaled.masks[0, 0], crop, chance)
    window = (..., slice(top, top + crop), slice(left, left + crop))
    image = scaled.images[window] * _between(*LIGHT, chance)
    grain = torch.randn(image.shape, generator=chance) * _between(0, GRAIN, chance)
    return Views((image + grain).clamp(0, 1), scaled.masks[window])


def _corner(mask: Tensor, crop: int, chance: torch.Generator) -> tuple[int, int]:
    """Top and left of a crop of `mask`: anywhere, or around a random broken pixel."""
    height, width = mask.shape
    top = int(_between(0, height - crop + 1, chance))
    left = int(_between(0, width - crop + 1, chance))
    broken = (mask > 0.5).nonzero()
    if len(broken) == 0 or _between(0, 1, chance) > AIMED:
        return top, left
    y, x = broken[int(_between(0, len(broken), chance))].tolist()
    top, left = (int(at - crop * _between(0.2, 0.8, chance)) for at in (y, x))
    return min(max(top, 0), height - crop), min(max(left, 0), width - crop)


def _between(low: float, high: float, chance: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=chance).item()
