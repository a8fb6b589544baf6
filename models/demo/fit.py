"""Trains a U-Net's decoder on the samples in under a minute on two cores.

The encoder keeps its seeded random weights: residual branches that start small make it a gentle
pyramid of features, once every batch norm holds the statistics of what really passes through it.
So its features of all the views are computed once and kept, and the steps go to the decoder and
the head alone, with a loss that counts pixels (cross-entropy) and overlap (Dice) alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.demo.descent import OrthogonalDescent
from models.demo.views import Views, random_view

SEED = 2
"""Of everything left to chance; with some others a damage is hardly ever in view."""
RATE, HEAD_RATE = 0.06, 0.01
"""Of the convolutions, in shares of their weight; of the head and the batch norms, in AdamW."""
WARM_UP = 6
FEATURE_NOISE = 0.05
"""Noise on the features in training, as a share of their spread: keeps small errors small."""
CALIBRATION = 18
"""Batches whose statistics end up in the decoder's batch norms."""


@dataclass(frozen=True)
class Plan:
    """How much a fit sees and does; the defaults are for networks used at 256 × 256."""

    size: int = 256
    crop: int = 128
    rounds: int = 9
    """Views of each sample."""
    batch: int = 4
    steps: int = 85


@dataclass(frozen=True)
class Seen:
    """Views as the decoder sees them."""

    features: list[Tensor]
    """`(N, C, H / 2^i, W / 2^i)`, from the image itself to the deepest."""
    labels: Tensor
    """`(N, H, W)`, int64: 0 background, 1 breakage."""


def fit(network: Any, samples: Views, plan: Plan) -> None:
    """Fits an smp `Unet` of two classes, in place, to samples larger than `plan.size`."""
    chance = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        views = _views(samples, plan, chance)
        _calibrate(network.encoder, [samples.resized(plan.size, plan.size).images])
        looks = [_look(network.encoder, view) for view in views]
    batches = _batches(looks, len(samples.images), plan.batch, chance)
    _train(network, islice(batches, plan.steps), plan.steps, chance)
    with torch.no_grad():
        _calibrate(network.decoder, [seen.features for seen in islice(batches, CALIBRATION)])
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


def _views(samples: Views, plan: Plan, chance: torch.Generator) -> list[Views]:
    """One view of every sample, in their order, then another of each, and so on."""
    pairs = list(zip(samples.images[:, None], samples.masks[:, None], strict=True))
    return [
        random_view(Views(image, mask), plan.size, plan.crop, chance)
        for _ in range(plan.rounds)
        for image, mask in pairs
    ]


def _look(encoder: Any, view: Views) -> Seen:
    return Seen(list(encoder(view.images)), (view.masks[:, 0] > 0.5).long())


def _batches(looks: list[Seen], samples: int, size: int, chance: torch.Generator) -> Iterator[Seen]:
    """Batches of different samples: every look once in random order, then all again."""
    while True:
        batches: list[list[Seen]] = []
        for first in range(0, len(looks), samples):
            order = (first + torch.randperm(samples, generator=chance)).tolist()
            picked = [looks[place] for place in order]
            batches += [picked[at : at + size] for at in range(0, samples, size)]
        for place in torch.randperm(len(batches), generator=chance).tolist():
            levels = zip(*(seen.features for seen in batches[place]), strict=True)
            labels = torch.cat([seen.labels for seen in batches[place]])
            yield Seen([torch.cat(level) for level in levels], labels)


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
