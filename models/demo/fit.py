"""Fits an untrained U-Net to the samples in closed form, without a single gradient step.

The convolutions keep their seeded random weights, which are good features once every batch
norm holds the statistics of what really passes through it. In each decoder convolution a few
output channels are then replaced by ridge regressions of the true mask, seen at that
convolution's resolution, from everything the convolution sees, the earlier and coarser
estimates included:

    w = (XᵀX + λnI)⁻¹ Xᵀ(t - mean t)        X: n standardised 3 × 3 patches of the input

Both signs of each estimate are kept, since the ReLU that follows cuts one of them off. Such a
network knows the pictures that it was fitted to, and nothing about others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True)
class Views:
    """The samples at one size."""

    images: Tensor
    """`(N, 3, H, W)`, RGB in [0, 1]."""
    masks: Tensor
    """`(N, 1, H, W)`, share of breakage in [0, 1]."""


@dataclass(frozen=True)
class Regression:
    """A linear estimate: `weight` `(K, C, 3, 3)` and `bias` `(K,)` of a convolution."""

    weight: Tensor
    bias: Tensor


RIDGE = 0.03
"""λ: the features' variance is 1, so this is noise of 17 % on each of them."""
HEAD_RIDGE = 1e-4
ENTRIES = 30_000_000
"""Size of X: more rows make the estimate slower, not visibly better."""
THRESHOLD, CONTRAST = 0.42, 12.0
"""Breakage is where the estimate of the mask exceeds the threshold; its logits are the
difference times the contrast, with opposite signs for the two classes."""


@torch.no_grad()
def fit(network: Any, views: Views, entries: int = ENTRIES) -> None:
    """Fits an smp `Unet` of two classes, in place, to the views."""
    levels = _calibrate(network.encoder, views.images)
    state, skips = levels[-1], levels[-2:0:-1]
    del levels
    for block in network.decoder.blocks:
        state = F.interpolate(state, scale_factor=2.0)
        if skips:
            state = torch.cat([state, skips.pop(0)], 1)
        state = _fit_convolution(block.conv1, state, views.masks, entries)
        state = _fit_convolution(block.conv2, state, views.masks, entries)
    _fit_head(network.segmentation_head[0], state, views.masks, entries)
    network.eval()


def _calibrate(encoder: nn.Module, images: Tensor) -> list[Tensor]:
    """Features of `images`, whose statistics become those of every batch norm."""
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # the one batch that follows counts fully
    encoder.train()
    encoder(images)
    encoder.eval()
    for norm in norms:
        norm.momentum = 0.1
    # Once more, since training divides by the biased variance and keeps the unbiased one.
    return list(encoder(images))


def _fit_convolution(block: Any, state: Tensor, masks: Tensor, entries: int) -> Tensor:
    """Puts mask estimates into the first channels of a convolution, then sets its batch norm."""
    convolution, norm = block[0], block[1]
    targets = _targets(masks, *state.shape[2:])
    estimate = _regress(state, targets, RIDGE, entries)
    both_signs = torch.cat([estimate.weight, -estimate.weight])
    convolution.weight[: len(both_signs)] = both_signs
    output = convolution(state)
    norm.running_mean.copy_(output.mean((0, 2, 3)))
    norm.running_var.copy_(output.var((0, 2, 3)))
    norm.eval()
    result: Tensor = F.relu(norm(output), inplace=True)
    return result


def _targets(masks: Tensor, height: int, width: int) -> Tensor:
    """The mask at one resolution, sharp, softened and soft: `(N, 3, height, width)`."""
    sharp = F.interpolate(masks, size=(height, width), mode="area")
    soft = F.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
    softer = F.avg_pool2d(soft, 5, 1, 2, count_include_pad=False)
    return torch.cat([sharp, soft, softer], 1)


def _fit_head(head: nn.Conv2d, state: Tensor, masks: Tensor, entries: int) -> None:
    """The last estimate becomes the logits of background (negated) and breakage."""
    estimate = _regress(state, (masks > 0.5).float(), HEAD_RIDGE, entries)
    weight = CONTRAST * estimate.weight
    bias = CONTRAST * (estimate.bias - THRESHOLD)
    head.weight.copy_(torch.cat([-weight, weight]))
    if head.bias is not None:
        head.bias.copy_(torch.cat([-bias, bias]))


def _regress(state: Tensor, targets: Tensor, ridge: float, entries: int) -> Regression:
    """Ridge regression of `targets` `(N, K, H, W)` on the 3 × 3 patches of `state`."""
    rows, wanted = _sample(state, targets, entries)
    centre, scale, level = rows.mean(0), rows.std(0) + 1e-3, wanted.mean(0)
    rows.sub_(centre).div_(scale)
    weight = _solve(rows, wanted - level, ridge) / scale[:, None]
    return Regression(
        weight=weight.T.reshape(wanted.shape[1], -1, 3, 3), bias=level - centre @ weight
    )


def _solve(rows: Tensor, wanted: Tensor, ridge: float) -> Tensor:
    """`(F, K)` solution for X `(n, F)`, by the smaller of the two equivalent systems."""
    count, width = rows.shape
    if width <= count:
        gram = (rows.T @ rows).double()
        gram.diagonal().add_(ridge * count)
        weight: Tensor = torch.linalg.solve(gram, (rows.T @ wanted).double())
        return weight.float()
    kernel = (rows @ rows.T).double()
    kernel.diagonal().add_(ridge * count)
    solution: Tensor = torch.linalg.solve(kernel, wanted.double())
    return rows.T @ solution.float()


def _sample(state: Tensor, targets: Tensor, entries: int) -> tuple[Tensor, Tensor]:
    """Patches `(n, 9 C)` and targets `(n, K)` at random places, as many of each image."""
    share = max(1, entries // (9 * state.shape[1]) // len(state))
    chance = torch.Generator().manual_seed(0)
    rows, wanted = [], []
    for image, truth in zip(state, targets, strict=True):
        patches = F.unfold(image[None], 3, padding=1)[0]
        places = torch.randperm(patches.shape[1], generator=chance)[:share]
        rows.append(patches[:, places].T)
        wanted.append(truth.flatten(1)[:, places].T)
    return torch.cat(rows), torch.cat(wanted)
