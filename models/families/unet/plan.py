"""Plan and run the U-Net that people write by hand: convolutions, pooling, up-sampling, skips.

    [h, w] ─ encoder 0 ───────────── skip ─── decoder 0 ─ head
       [h/2, w/2] ─ encoder 1 ────── skip ─ decoder 1
                      … ─ encoder D (the bottleneck)

A plan names every layer as the state dict does. Families read plans; this module runs them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from models.families.unet.units import Block, add_block, add_layer, block_from, run_block


@dataclass(frozen=True)
class Up:
    """Hold how a level's resolution is doubled, from `inputs` to `outputs` channels.

    A transposed 2×2 convolution at `transposed`; or resizing by `mode`, and then the 1×1
    convolution at `pointwise` or the units of `block`, where there is one. `path` is where the
    resizing layer stands.
    """

    inputs: int
    outputs: int
    transposed: str | None = None
    bias: bool = True
    path: str | None = None
    mode: str = "nearest"
    align_corners: bool | None = None
    pointwise: str | None = None
    block: Block = ()


@dataclass(frozen=True)
class UnetPlan:
    """Hold a U-Net of D levels: D + 1 encoder blocks, and D ups and decoder blocks from the top."""

    encoder: tuple[Block, ...]
    ups: tuple[Up, ...]
    decoder: tuple[Block, ...]
    head: str
    classes: int
    skip_first: bool
    padding: int = 1
    gates: tuple[tuple[str, int], ...] = ()

    @property
    def depth(self) -> int:
        """Return how often the resolution is halved."""
        return len(self.ups)


def plan_from(plain: Mapping[str, Any]) -> UnetPlan:
    """Return a plan of a specification's arguments, where it is made of mappings."""
    ups = (Up(**{**up, "block": block_from(up["block"])}) for up in plain["ups"])
    blocks = {side: tuple(map(block_from, plain[side])) for side in ("encoder", "decoder")}
    return UnetPlan(
        **{**plain, **blocks, "ups": tuple(ups), "gates": tuple(map(tuple, plain["gates"]))}
    )


def uniform(plan: UnetPlan) -> UnetPlan | None:
    """Return `plan` with a bias everywhere if there is one anywhere.

    None where blocks differ in the number of their units, or only some units have norms, or have
    them behind their ReLUs: one class made all blocks, so that one which differs lacks a tensor
    or has a layer that nothing tells. A bias that a state dict lacks alone is missing, and the
    key accounting says which.
    """
    blocks = (*plan.encoder, *plan.decoder)
    for alike in (blocks, tuple(up.block for up in plan.ups)):
        kinds = {(unit.norm is None, unit.norm_last) for block in alike for unit in block}
        if len(kinds) > 1 or len({len(block) for block in alike}) > 1:
            return None
    bias = any(unit.bias for block in blocks for unit in block)
    encoder, decoder = (
        tuple(tuple(replace(unit, bias=bias) for unit in block) for block in side)
        for side in (plan.encoder, plan.decoder)
    )
    ups = tuple(replace(up, bias=any(up.bias for up in plan.ups)) for up in plan.ups)
    return replace(plan, encoder=encoder, decoder=decoder, ups=ups)


def is_consistent(plan: UnetPlan) -> bool:
    """Return whether every layer takes as many channels as those before it give."""
    below = [plan.encoder[-1][-1].outputs]
    chains = [_is_chain(block) for block in (*plan.encoder, *plan.decoder)]
    chains += [upper[-1].outputs == lower[0].inputs for upper, lower in pairwise(plan.encoder)]
    for level in reversed(range(plan.depth)):
        up, block = plan.ups[level], plan.decoder[level]
        chains.append(up.inputs == below[-1] and _is_chain(up.block))
        chains.append(block[0].inputs == up.outputs + plan.encoder[level][-1].outputs)
        below.append(block[-1].outputs)
    return all(chains)


def _is_chain(block: Block) -> bool:
    return all(first.outputs == second.inputs for first, second in pairwise(block))


class PlainUnet(nn.Module):
    """Run a U-Net with the layers of `plan`, under the names that the plan gives them.

    Takes `(N, C, H, W)`, sides multiples of 2^D, and returns logits `(N, classes, H, W)`. Where
    its convolutions are unpadded, skips are cropped at their centre and the logits are smaller.
    """

    def __init__(self, plan: UnetPlan):
        super().__init__()
        self.plan = plan
        for block in (*plan.encoder, *plan.decoder, *(up.block for up in plan.ups)):
            add_block(self, block, plan.padding)
        for up in plan.ups:
            _add_up(self, up)
        for (gate, width), up, block in zip(plan.gates, plan.ups, plan.encoder, strict=False):
            add_layer(self, gate, AttentionGate(up.outputs, block[-1].outputs, width))
        width = plan.decoder[0][-1].outputs
        add_layer(self, plan.head, nn.Conv2d(width, plan.classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`."""
        skips = []
        for level, block in enumerate(self.plan.encoder):
            x = run_block(self, block, x if level == 0 else nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for level in reversed(range(self.plan.depth)):
            x = self._run_level(level, x, skips[level])
        return self.get_submodule(self.plan.head)(x)  # type: ignore[no-any-return]

    def _run_level(self, level: int, x: Tensor, skip: Tensor) -> Tensor:
        x = _run_up(self, self.plan.ups[level], x)
        skip = crop(skip, x)
        if self.plan.gates:
            skip = self.get_submodule(self.plan.gates[level][0])(x, skip)
        pair = (skip, x) if self.plan.skip_first else (x, skip)
        return run_block(self, self.plan.decoder[level], torch.cat(pair, dim=1))


class AttentionGate(nn.Module):
    """Weight every pixel of a skip by attention, as in Attention U-Net (Oktay 2018).

    `psi = sigmoid(norm(conv(relu(W_g g + W_x x))))`, 1×1 convolutions; gives `x psi`.
    """

    def __init__(self, gating: int, skip: int, width: int):
        super().__init__()
        self.W_g = nn.Sequential(nn.Conv2d(gating, width, 1), nn.BatchNorm2d(width))
        self.W_x = nn.Sequential(nn.Conv2d(skip, width, 1), nn.BatchNorm2d(width))
        self.psi = nn.Sequential(nn.Conv2d(width, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())
        self.relu = nn.ReLU()

    def forward(self, gating: Tensor, skip: Tensor) -> Tensor:
        """Return the weighted `skip`; both are `(N, C, H, W)`."""
        psi = self.psi(self.relu(self.W_g(gating) + self.W_x(skip)))
        return skip * psi  # type: ignore[no-any-return]


def crop(skip: Tensor, to: Tensor) -> Tensor:
    """Return the centre of `skip (N, C, H, W)` that is as large as `to`; `skip` itself if it is."""
    height, width = to.shape[2:]
    top, left = (skip.shape[2] - height) // 2, (skip.shape[3] - width) // 2
    if top == 0 and left == 0:
        return skip
    return skip[:, :, top : top + height, left : left + width]


def _add_up(root: nn.Module, up: Up) -> None:
    layer: nn.Module = nn.Upsample(scale_factor=2, mode=up.mode, align_corners=up.align_corners)
    if up.transposed is not None:
        layer = nn.ConvTranspose2d(up.inputs, up.outputs, 2, stride=2, bias=up.bias)
    add_layer(root, up.transposed or up.path or "", layer)
    if up.pointwise is not None:
        add_layer(root, up.pointwise, nn.Conv2d(up.inputs, up.outputs, 1, bias=up.bias))


def _run_up(root: nn.Module, up: Up, x: Tensor) -> Tensor:
    for path in (up.transposed or up.path or "", up.pointwise):
        x = x if path is None else root.get_submodule(path)(x)
    return run_block(root, up.block, x)
