"""Recognise Attention U-Net, R2U-Net and R2AttU-Net, with the names of LeeJunHyun's repository.

    AttU_Net     Conv1 … Conv5, Up5 … Up2, Att5 … Att2, Up_conv5 … Up_conv2, Conv_1x1
    R2U_Net      RRCNN1 … RRCNN5, Up5 … Up2, Up_RRCNN5 … Up_RRCNN2, Conv_1x1
    R2AttU_Net   the same with Att5 … Att2

Attention (Oktay 2018, arXiv:1804.03999) weights each pixel of a skip. A recurrent block (Alom
2018, arXiv:1802.06955) is a 1×1 convolution with two recurrent layers behind it, added to it;
each runs its one convolution t + 1 times on its input plus what it gave before. All of them
return logits; up-sampling repeats pixels before a convolution.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.families.family import Family
from models.families.unet.key_templates import KeyTemplates, read_plan, read_up
from models.families.unet.key_templates import specification as specified
from models.families.unet.plan import AttentionGate, PlainUnet, plan_from
from models.families.unet.units import Unit, grow_block, run_block
from models.specification import Choices, Shapes, Specification

STEPS = 2
PUBLISHED = "as published; shapes cannot tell it"
SPELLING = KeyTemplates(
    "Conv, Up, Att, Up_conv, Conv_1x1",
    encoder=(("Conv{n}",),),
    bottom=(),
    up=("Up{above}",),
    decoder=(("Up_conv{above}",),),
    head=("Conv_1x1", "Conv"),
    skip_first=True,
    resize=("nearest", None),
)


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read one of the three; None where there is neither attention nor recurrence."""
    if choices.padding == "valid":
        return None
    if any(key.startswith("RRCNN1.") for key in shapes):
        return _recurrent(shapes)
    if not any(key.startswith("Att2.") for key in shapes):
        return None
    plan = read_plan(shapes, SPELLING, choices, padding=1)
    if plan is None:
        return None
    gates = _gates(shapes, plan.depth)
    return specified(replace(plan, gates=gates), SPELLING, "Attention", choices) if gates else None


def _gates(shapes: Shapes, depth: int) -> tuple[tuple[str, int], ...]:
    """Return path and inner width of every level's gate, the topmost first; none if one is odd."""
    paths = [f"Att{level + 2}" for level in range(depth)]
    psi = [shapes.get(f"{path}.psi.0.weight", ()) for path in paths]
    if not all(len(shape) == 4 and shape[::2] == (1, 1) for shape in psi):
        return ()
    return tuple((path, shape[1]) for path, shape in zip(paths, psi, strict=True))


@dataclass(frozen=True)
class Recurrent:
    """Hold the widths of an R2U-Net from top to bottom, and the inner widths of its gates."""

    inputs: int
    classes: int
    head: str
    widths: tuple[int, ...]
    gates: tuple[int, ...] = ()


def _recurrent(shapes: Shapes) -> Specification | None:
    widths: list[int] = []
    while len(shape := shapes.get(f"RRCNN{len(widths) + 1}.Conv_1x1.weight", ())) == 4:
        widths.append(shape[0])
    head = shapes.get("Conv_1x1.weight", ())
    if len(widths) < 2 or len(head) != 4:
        return None
    ups = [
        read_up(shapes, f"Up{level + 2}", 0, ("nearest", None)) for level in range(len(widths) - 1)
    ]
    attentive = any(key.startswith("Att2.") for key in shapes)
    gates = _gates(shapes, len(ups)) if attentive else ()
    if any(up is None or not up.block for up in ups) or (attentive and not gates):
        return None
    inputs = shapes["RRCNN1.Conv_1x1.weight"][1]
    inner = tuple(width for _, width in gates)
    plan = Recurrent(inputs, head[0], "Conv_1x1", tuple(widths), inner)
    return Specification(
        family="R2Attention" if gates else "R2",
        architecture="U-Net",
        in_channels=inputs,
        classes=head[0],
        stride=2 ** len(ups),
        arguments={
            "widths": tuple(widths),
            "steps": STEPS,
            "upsampling": "nearest",
            "nonlinearity": "ReLU",
            "norm_eps": 1e-5,
            "layers": asdict(plan),
        },
        assumed={
            "steps": f"t is {PUBLISHED}",
            "upsampling": PUBLISHED,
            "nonlinearity": PUBLISHED,
            "norm_eps": "PyTorch's default, which shapes cannot tell",
        },
    )


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    layers = cast(Mapping[str, Any], specification.arguments["layers"])
    if "widths" not in layers:
        return PlainUnet(plan_from(layers))
    widths, gates = tuple(layers["widths"]), tuple(layers["gates"])
    return RecurrentUnet(Recurrent(**{**layers, "widths": widths, "gates": gates}))


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

    def __init__(self, plan: Recurrent):
        super().__init__()
        self.plan = plan
        self.up_units = tuple(_up_unit(plan, level) for level in range(len(plan.widths) - 1))
        for level, (above, width) in enumerate(
            zip((plan.inputs, *plan.widths), plan.widths, strict=False), 1
        ):
            self.add_module(f"RRCNN{level}", RecurrentBlock(above, width))
        for level, unit in enumerate(self.up_units, 2):
            grow_block(self, (unit,))
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


def _up_unit(plan: Recurrent, level: int) -> Unit:
    """Return the unit behind the resizing from level + 1 to level."""
    path = f"Up{level + 2}.up"
    below, width = plan.widths[level + 1], plan.widths[level]
    return Unit(f"{path}.1", below, width, True, f"{path}.2", f"{path}.3")


FAMILY = Family(
    name="Attention U-Net, R2U-Net",
    parts=(r"(Conv|RRCNN)\d\.", r"Up\d\.", r"Att\d\.|Up_RRCNN\d", r"(Conv_1x1|Conv)\."),
    recognise=recognise,
    build=build,
)
