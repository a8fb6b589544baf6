"""Specify the network of a plan, with what shapes could not tell of it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from models.families.unet.key_templates import MODES, KeyTemplates
from models.families.unet.plan import UnetPlan, plan_from
from models.families.unet.units import DEFAULT, PUBLISHED
from models.specification import Choices, Specification


def specify(
    plan: UnetPlan, templates: KeyTemplates, family: str, choices: Choices
) -> Specification:
    """Return the specification of `plan`, with what shapes could not tell."""
    offset, margin = _unpadded(plan) if plan.padding == 0 else (0, 0)
    resized = plan.ups[0].transposed is None
    norm = plan.encoder[0][0].norm is not None
    arguments: dict[str, object] = {
        "spelling": templates.name,
        "widths": tuple(block[-1].outputs for block in plan.encoder),
        "normalisation": "batch norm" if norm else None,
        "upsampling": plan.ups[0].mode if resized else "transposed convolution",
        "padding": "same" if plan.padding else "valid",
        "concatenation": "skip first" if plan.skip_first else "skip last",
        "nonlinearity": "ReLU",
        "layers": asdict(plan),
    }
    if resized and plan.ups[0].mode == "bilinear":
        arguments["align_corners"] = plan.ups[0].align_corners
    if norm:
        arguments["norm_eps"] = 1e-5
    return Specification(
        family=family,
        architecture="U-Net",
        in_channels=plan.encoder[0][0].inputs,
        classes=plan.classes,
        stride=2**plan.depth,
        arguments=arguments,
        assumed=_assumed(arguments, choices),
        offset=offset,
        margin=margin,
        activation="sigmoid" if templates.sigmoid else "",
    )


def _assumed(arguments: Mapping[str, object], choices: Choices) -> dict[str, str]:
    reasons = {
        "padding": PUBLISHED + ", and PADDING= settles it",
        "concatenation": PUBLISHED,
        "nonlinearity": "where layers without weights stand; shapes cannot tell which they are",
        "align_corners": PUBLISHED,
        "norm_eps": DEFAULT,
    }
    if choices.padding is not None:
        del reasons["padding"]
    if choices.interpolation is None and arguments["upsampling"] in MODES:
        reasons["upsampling"] = PUBLISHED + ", and INTERPOLATION= settles it"
    return {name: reason for name, reason in reasons.items() if name in arguments}


def takes_unpadded(specification: Specification, width: int, height: int) -> bool:
    """Return whether a U-Net whose padding was assumed takes this size without any."""
    if specification.family != "DoubleConv" or "padding" not in specification.assumed:
        return False
    plan = plan_from(cast(Mapping[str, Any], specification.arguments["layers"]))
    offset, margin = _unpadded(plan)
    return replace(specification, offset=offset, margin=margin).takes(width, height)


def _unpadded(plan: UnetPlan) -> tuple[int, int]:
    """Return `(offset, margin)` of a network whose 3×3 convolutions lose a pixel at each border.

    Four levels of two convolutions a block: offset 12, margin 92, so that 572 gives 388.

    >>> from models.families.unet.plan import Up
    >>> from models.families.unet.units import Unit
    >>> block, ups = (Unit("", 1, 1, True, None, None),) * 2, (Up(1, 1),) * 4
    >>> _unpadded(UnetPlan((block,) * 5, ups, (block,) * 4, "", 1, False, padding=0))
    (12, 92)
    """
    *encoder, bottleneck = (2 * len(block) for block in plan.encoder)
    down = sum(2**level * pixels for level, pixels in enumerate(encoder))
    up = sum(2**level * 2 * len(block) for level, block in enumerate(plan.decoder))
    return down % 2**plan.depth, (down + up + 2**plan.depth * bottleneck) // 2
