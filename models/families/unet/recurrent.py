"""Run R2U-Net and R2AttU-Net (Alom 2018, arXiv:1802.06955).

A recurrent block is a 1×1 convolution with two recurrent layers behind it, added to it; each
runs its one convolution t + 1 times on its input plus what it gave before.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.families.unet.plan import AttentionGate
from models.families.unet.units import Unit, add_block, run_block

STEPS = 2
"""Further rounds of a recurrent layer: the t of the paper."""


@dataclass(frozen=True)
class RecurrentPlan:
    """Hold the widths of an R2U-Net from top to bottom, and the inner widths of its gates."""

    inputs: int
    classes: int
    head: str
    widths: tuple[int, ...]
    gates: tuple[int, ...] = ()


class RecurrentLayer(nn.Module):
    """Run one convolution with its norm and ReLU again on its input plus its own output."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes after STEPS further rounds, `(N, C, H, W)` as `x`."""
        given = self.conv(x)
        for _ in range(STEPS):
            given = self.conv(x + given)
        return given  # type: ignore[no-any-return]


class RecurrentBlock(nn.Module):
    """Add two recurrent layers to the 1×1 convolution before them."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.RCNN = nn.Sequential(RecurrentLayer(outputs), RecurrentLayer(outputs))
        self.Conv_1x1 = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, outputs, H, W)` of `x (N, inputs, H, W)`."""
        x = self.Conv_1x1(x)
        return x + self.RCNN(x)  # type: ignore[no-any-return]


class RecurrentUnet(nn.Module):
    """Run R2U-Net: `(N, C, H, W)`, sides multiples of 2^levels, to logits `(N, classes, H, W)`."""

    def __init__(self, plan: RecurrentPlan):
        super().__init__()
        self.plan = plan
        self.up_units = tuple(_up_unit(plan, level) for level in range(len(plan.widths) - 1))
        for level, (above, width) in enumerate(
            zip((plan.inputs, *plan.widths), plan.widths, strict=False), 1
        ):
            self.add_module(f"RRCNN{level}", RecurrentBlock(above, width))
        for level, unit in enumerate(self.up_units, 2):
            add_block(self, (unit,))
            self.add_module(f"Up_RRCNN{level}", RecurrentBlock(2 * unit.outputs, unit.outputs))
        for level, (width, inner) in enumerate(zip(plan.widths, plan.gates, strict=False), 2):
            self.add_module(f"Att{level}", AttentionGate(width, width, inner))
        self.add_module(plan.head, nn.Conv2d(plan.widths[0], plan.classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`."""
        skips: list[Tensor] = []
        for level in range(1, len(self.plan.widths) + 1):
            x = nn.functional.max_pool2d(x, 2) if skips else x
            x = self.get_submodule(f"RRCNN{level}")(x)
            skips.append(x)
        for level in range(len(self.plan.widths), 1, -1):
            unit, skip = self.up_units[level - 2], skips[level - 2]
            x = run_block(self, (unit,), nn.functional.interpolate(x, scale_factor=2))
            if self.plan.gates:
                skip = self.get_submodule(f"Att{level}")(x, skip)
            x = self.get_submodule(f"Up_RRCNN{level}")(torch.cat((skip, x), dim=1))
        return self.get_submodule(self.plan.head)(x)  # type: ignore[no-any-return]


def _up_unit(plan: RecurrentPlan, level: int) -> Unit:
    """Return the unit behind the resizing from level + 1 to level."""
    path = f"Up{level + 2}.up"
    below, width = plan.widths[level + 1], plan.widths[level]
    return Unit(f"{path}.1", below, width, True, f"{path}.2", f"{path}.3")
