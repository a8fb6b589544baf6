"""Trains a U-Net's decoder on the samples in under a minute on two cores.

The encoder keeps its seeded random weights: residual branches that start small make it a gentle
pyramid of features, once every batch norm holds the statistics of what really passes through it.
So the steps go to the decoder and the head alone, with a loss that counts pixels (cross-entropy)
and overlap (Dice) alike. Every step sees views that were never seen before: a decoder that meets
the same few again learns them by heart, and then which masks it draws elsewhere hangs on the last
digits of every sum, that is, on the processor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.demo.descent import OrthogonalDescent
from models.demo.views import ZOOM, Views, random_view

RATE, HEAD_RATE = 0.04, 0.01
"""Learning rates: of the convolutions, in shares of their weight; of all others, in AdamW."""
WARM_UP = 6
FEATURE_NOISE = 0.05
"""Noise on the features in training, as a share of their spread: keeps small errors small."""
WIDE_EVERY = 2
"""Interval of batches that have half as many views, each of nearly the whole picture: in a crop,
the deepest features never see what surrounds a car, and are taken by surprise where they do."""
CALIBRATION = 18
"""Batches whose statistics end up in the decoder's batch norms."""


@dataclass(frozen=True)
class Plan:
    """Hold how much a fit sees and does; the defaults are for networks used at 256 × 256."""

    size: int = 256
    crop: int = 128
    batch: int = 8
    steps: int = 75
    seed: int = 0
    """Seed of all that is left to chance: the views, their order, the noise."""

    @property
    def wide_crop(self) -> int:
        """Return the largest crop that fits into every view and halves five times."""
        return int(self.size * ZOOM[0]) // 32 * 32


@dataclass(frozen=True)
class Seen:
    """Views as the decoder sees them."""

    features: list[Tensor]
    """`(N, C, H / 2^i, W / 2^i)`, from the image itself to the deepest."""
    labels: Tensor
    """`(N, H, W)`, int64: 0 background, 1 breakage."""


def fit(network: Any, samples: Views, plan: Plan) -> None:
    """Fits an smp `Unet` of two classes, in place, to samples larger than `plan.size`."""
    chance = torch.Generator().manual_seed(plan.seed)
    with torch.no_grad():
        _calibrate(network.encoder, [samples.resized(plan.size, plan.size).images])
    looks = _looks(network.encoder, samples, plan, chance)
    _train(network, islice(looks, plan.steps), plan.steps, chance)
    with torch.no_grad():
        _calibrate(network.decoder, [seen.features for seen in islice(looks, CALIBRATION)])
    network.eval()


def _calibrate(part: nn.Module, batches: Iterable[Any]) -> None:
    """Sets every batch norm to the mean statistics of what these inputs send through it."""
    norms = [module for module in part.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    part.train()
    for batch in batches:
        part(batch)
    part.eval()
    for norm in norms:
        norm.momentum = 0.1


def _looks(encoder: Any, samples: Views, plan: Plan, chance: torch.Generator) -> Iterator[Seen]:
    """Yield batches of new views, without end, as the decoder sees them."""
    small = _picks(samples, plan.batch, chance)
    wide = _picks(samples, plan.batch // 2, chance)
    for number in count(1):
        crop, places = (plan.crop, small) if number % WIDE_EVERY else (plan.wide_crop, wide)
        views = [random_view(samples.at(at), plan.size, crop, chance) for at in next(places)]
        with torch.no_grad():
            features = encoder(torch.cat([view.images for view in views]))
        yield Seen(list(features), torch.cat([view.masks[:, 0] > 0.5 for view in views]).long())


def _picks(samples: Views, size: int, chance: torch.Generator) -> Iterator[list[int]]:
    """Choose the samples of each batch: damaged ones in turn, and always an undamaged one.

    Batches of one size, so that all see batch norms that are alike; and what is painted on an
    undamaged picture is put right at once, not when its turn comes.
    """
    broken = (samples.masks > 0.5).flatten(1).any(1)
    damaged, whole = (_turns(which.nonzero()[:, 0], chance) for which in (broken, ~broken))
    while True:
        one = list(islice(whole, 1))
        yield [*islice(damaged, size - len(one)), *one]


def _turns(places: Tensor, chance: torch.Generator) -> Iterator[int]:
    """Yield all places in random order, then in another, without end; none if there are none."""
    while len(places):
        yield from places[torch.randperm(len(places), generator=chance)].tolist()


def _train(network: Any, batches: Iterable[Seen], steps: int, chance: torch.Generator) -> None:
    decoder, head = network.decoder, network.segmentation_head
    convolutions = OrthogonalDescent(p for p in decoder.parameters() if p.ndim == 4)
    others = [p for p in decoder.parameters() if p.ndim != 4] + list(head.parameters())
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95))
    decoder.train()
    for step, seen in enumerate(batches):
        share = min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)
        for group in adam.param_groups:
            group["lr"] = HEAD_RATE * share
        adam.zero_grad()
        _loss(head(decoder(_disturbed(seen.features, chance))), seen.labels).backward()
        adam.step()
        convolutions.step(RATE * share)


def _disturbed(features: list[Tensor], chance: torch.Generator) -> list[Tensor]:
    return [
        level + FEATURE_NOISE * level.std() * torch.randn(level.shape, generator=chance)
        for level in features
    ]


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, and the Dice loss of breakage over the whole batch."""
    broken, true = logits.softmax(1)[:, 1], labels.float()
    dice = (2 * (broken * true).sum() + 1) / (broken.sum() + true.sum() + 1)
    return F.cross_entropy(logits, labels) + (1 - dice)
