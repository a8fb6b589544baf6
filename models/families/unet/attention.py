"""Recognise Attention U-Net, R2U-Net and R2AttU-Net, with the names of LeeJunHyun's repository.

    AttU_Net     Conv1 … Conv5, Up5 … Up2, Att5 … Att2, Up_conv5 … Up_conv2, Conv_1x1
    R2U_Net      RRCNN1 … RRCNN5, Up5 … Up2, Up_RRCNN5 … Up_RRCNN2, Conv_1x1
    R2AttU_Net   the same with Att5 … Att2

Attention (Oktay 2018, arXiv:1804.03999) weights each pixel of a skip. All of them return logits;
up-sampling repeats pixels before a convolution.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from torch import nn

from models.families.family import Family
from models.families.unet.double_conv import CONV_UP
from models.families.unet.key_templates import read_plan, read_up
from models.families.unet.plan import PlainUnet, plan_from
from models.families.unet.recurrent import STEPS, RecurrentPlan, RecurrentUnet
from models.families.unet.specify import specify
from models.families.unet.units import DEFAULT
from models.specification import Choices, Shapes, Specification

PUBLISHED = "as published; shapes cannot tell it"
TEMPLATES = replace(CONV_UP, name="Conv, Up, Att, Up_conv, Conv_1x1")


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read one of the three; None where there is neither attention nor recurrence."""
    if choices.padding == "valid":
        return None
    if any(key.startswith("RRCNN1.") for key in shapes):
        return _recurrent(shapes)
    if not any(key.startswith("Att2.") for key in shapes):
        return None
    plan = read_plan(shapes, TEMPLATES, choices, padding=1)
    if plan is None:
        return None
    gates = _gates(shapes, plan.depth)
    return specify(replace(plan, gates=gates), TEMPLATES, "Attention", choices) if gates else None


def _gates(shapes: Shapes, depth: int) -> tuple[tuple[str, int], ...]:
    """Return path and inner width of every level's gate, the topmost first; none if one is odd."""
    paths = [f"Att{level + 2}" for level in range(depth)]
    psi = [shapes.get(f"{path}.psi.0.weight", ()) for path in paths]
    if not all(len(shape) == 4 and shape[::2] == (1, 1) for shape in psi):
        return ()
    return tuple((path, shape[1]) for path, shape in zip(paths, psi, strict=True))


def _recurrent(shapes: Shapes) -> Specification | None:
    widths: list[int] = []
    while len(shape := shapes.get(f"RRCNN{len(widths) + 1}.Conv_1x1.weight", ())) == 4:
        widths.append(shape[0])
    head = shapes.get("Conv_1x1.weight", ())
    if len(widths) < 2 or len(head) != 4:
        return None
    levels = range(len(widths) - 1)
    ups = [read_up(shapes, f"Up{level + 2}", 0, ("nearest", None)) for level in levels]
    attentive = any(key.startswith("Att2.") for key in shapes)
    gates = _gates(shapes, len(ups)) if attentive else ()
    if any(up is None or not up.block for up in ups) or (attentive and not gates):
        return None
    inner = tuple(width for _, width in gates)
    inputs = shapes["RRCNN1.Conv_1x1.weight"][1]
    return _specify(RecurrentPlan(inputs, head[0], "Conv_1x1", tuple(widths), inner))


def _specify(plan: RecurrentPlan) -> Specification:
    return Specification(
        family="R2Attention" if plan.gates else "R2",
        architecture="U-Net",
        in_channels=plan.inputs,
        classes=plan.classes,
        stride=2 ** (len(plan.widths) - 1),
        arguments={
            "widths": plan.widths,
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
            "norm_eps": DEFAULT,
        },
    )


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    layers = cast(Mapping[str, Any], specification.arguments["layers"])
    if "widths" not in layers:
        return PlainUnet(plan_from(layers))
    widths, gates = tuple(layers["widths"]), tuple(layers["gates"])
    return RecurrentUnet(RecurrentPlan(**{**layers, "widths": widths, "gates": gates}))


FAMILY = Family(
    name="Attention U-Net, R2U-Net",
    parts=(r"(Conv|RRCNN)\d\.", r"Up\d\.", r"Att\d\.|Up_RRCNN\d", r"(Conv_1x1|Conv)\."),
    recognise=recognise,
    build=build,
)
