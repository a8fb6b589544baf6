"""Read a hand-written U-Net's plan from its keys, by templates of the layers' names.

A name is a template: `{n}` counts levels, the topmost being the spelling's `first`, and `{above}`
is `n + 1`; `{k}` counts the steps upward from the bottleneck, from 1, `{z}` the same from 0, and
`{even}`, `{odd}` are `2z` and `2z + 1`. Where a role has several names, a network uses one of them
throughout.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product

from models.errors import InputError
from models.families.unet.plan import UnetPlan, Up, even, is_consistent
from models.families.unet.units import Block, read_units
from models.specification import Choices, Shapes, Specification

Names = tuple[str, ...]
MOST_LEVELS = 8
MODES = ("nearest", "bilinear")


@dataclass(frozen=True)
class KeyTemplates:
    """Hold the names of one way to write a U-Net; blocks are one or several prefixes of units.

    `encoder` names the blocks of the levels, `bottom` the one below them (the next of `encoder`
    where empty). `skip_first` is the order in which the published forward concatenates, `resize`
    what it resizes with where up-sampling has no weights, `sigmoid` whether it ends in one.
    """

    name: str
    encoder: tuple[Names, ...]
    bottom: tuple[Names, ...]
    up: Names
    decoder: tuple[Names, ...]
    head: Names
    first: int = 1
    top: Names = ()
    skip_first: bool = False
    resize: tuple[str, bool | None] = ("bilinear", True)
    sigmoid: bool = False


def read_plan(
    shapes: Shapes, spelling: KeyTemplates, choices: Choices, padding: int
) -> UnetPlan | None:
    """Return the plan of a state dict with these names; None where it does not fit them."""
    roles = (spelling.encoder, spelling.bottom or ((),), spelling.up, spelling.decoder)
    for encoder, bottom, up, decoder in product(*roles):
        for head in spelling.head:
            plan = _plan(shapes, spelling, (encoder, bottom, decoder), up, head, choices, padding)
            if plan is not None and is_consistent(plan):
                return even(plan)
    return None


def _plan(  # noqa: PLR0913, PLR0917 (the names of one combination)
    shapes: Shapes,
    spelling: KeyTemplates,
    blocks: tuple[Names, Names, Names],
    up: str,
    head: str,
    choices: Choices,
    padding: int,
) -> UnetPlan | None:
    head_shape = shapes.get(f"{head}.weight", ())
    if len(head_shape) != 4 or head_shape[2:] != (1, 1):
        return None
    encoder = _encoder(shapes, spelling, blocks[0], blocks[1])
    depth = len(encoder) - 1
    if depth < 1:
        return None
    counts = [_counts(level, depth, spelling.first) for level in range(depth)]
    decoder = [_block(shapes, blocks[2], count) for count in counts]
    if not all(decoder) or head_shape[1] != decoder[0][-1].outputs:
        return None
    below = [*(block[-1].outputs for block in decoder[1:]), encoder[-1][-1].outputs]
    resize = _resizing(spelling, choices)
    ups = [read_up(shapes, up.format(**c), i, resize) for c, i in zip(counts, below, strict=True)]
    if any(each is None for each in ups):
        return None
    return UnetPlan(
        encoder=tuple(encoder),
        ups=tuple(each for each in ups if each is not None),
        decoder=tuple(decoder),
        head=head,
        classes=head_shape[0],
        skip_first=spelling.skip_first,
        padding=padding,
    )


def _counts(level: int, depth: int, first: int) -> dict[str, int]:
    step = depth - 1 - level
    number = level + first
    up = {"k": step + 1, "z": step, "even": 2 * step, "odd": 2 * step + 1}
    return {"n": number, "above": number + 1, **up}


def _block(shapes: Shapes, names: Names, counts: Mapping[str, int]) -> Block:
    """Return all units of a block; none where one of its prefixes has none."""
    parts = [read_units(shapes, name.format(**counts)) for name in names]
    return tuple(unit for part in parts for unit in part) if all(parts) else ()


def _encoder(shapes: Shapes, spelling: KeyTemplates, names: Names, bottom: Names) -> list[Block]:
    """Return the blocks from the top to the bottleneck; none where there is no bottleneck."""
    blocks: list[Block] = []
    while len(blocks) <= MOST_LEVELS:
        count = {"n": len(blocks) + spelling.first}
        own = spelling.top if spelling.top and not blocks else names
        block = _block(shapes, own, count)
        if not block:
            last = _block(shapes, bottom, count) if bottom else ()
            return [*blocks, last] if last else ([] if bottom else blocks)
        blocks.append(block)
    return []


def _resizing(spelling: KeyTemplates, choices: Choices) -> tuple[str, bool | None]:
    mode, aligned = spelling.resize
    if choices.interpolation in (None, mode):
        return mode, aligned
    if choices.interpolation not in MODES:
        known = ", ".join(MODES)
        raise InputError(f"INTERPOLATION={choices.interpolation} is none of a U-Net's: {known}.")
    return choices.interpolation, None if choices.interpolation == "nearest" else False


def read_up(shapes: Shapes, path: str, inputs: int, resize: tuple[str, bool | None]) -> Up | None:
    """Return how the network up-samples at `path`; None where its weights are of another kind."""
    mode, aligned = resize
    weight = shapes.get(f"{path}.weight", ())
    if len(weight) == 4 and weight[2:] == (2, 2):
        return Up(weight[0], weight[1], transposed=path, bias=f"{path}.bias" in shapes)
    if not any(key.startswith(f"{path}.") for key in shapes):
        return Up(inputs, inputs, path=path, mode=mode, align_corners=aligned)
    weight = shapes.get(f"{path}.1.weight", ())
    resizing = {"path": f"{path}.0", "mode": mode, "align_corners": aligned}
    if len(weight) == 4 and weight[2:] == (1, 1):
        bias = f"{path}.1.bias" in shapes
        point = f"{path}.1"
        return Up(weight[1], weight[0], bias=bias, pointwise=point, **resizing)  # type: ignore[arg-type]
    block = read_units(shapes, path)
    if len(block) == 1 and block[0].conv.endswith(".1"):
        resizing["path"] = block[0].conv[:-1] + "0"
        return Up(block[0].inputs, block[0].outputs, block=block, **resizing)  # type: ignore[arg-type]
    return None


def specification(
    plan: UnetPlan, spelling: KeyTemplates, family: str, choices: Choices
) -> Specification:
    """Return the specification of `plan`, with what shapes could not tell."""
    offset, margin = _unpadded(plan) if plan.padding == 0 else (0, 0)
    resized = plan.ups[0].transposed is None
    norm = plan.encoder[0][0].norm is not None
    arguments: dict[str, object] = {
        "spelling": spelling.name,
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
        activation="sigmoid" if spelling.sigmoid else "",
    )


def _assumed(arguments: Mapping[str, object], choices: Choices) -> dict[str, str]:
    published = "as published with these names; shapes cannot tell it"
    reasons = {
        "padding": published + ", and PADDING= settles it",
        "concatenation": published,
        "nonlinearity": "where layers without weights stand; shapes cannot tell which they are",
        "align_corners": published,
        "norm_eps": "PyTorch's default, which shapes cannot tell",
    }
    if choices.padding is not None:
        del reasons["padding"]
    if choices.interpolation is None and arguments["upsampling"] in MODES:
        reasons["upsampling"] = published + ", and INTERPOLATION= settles it"
    return {name: reason for name, reason in reasons.items() if name in arguments}


def _unpadded(plan: UnetPlan) -> tuple[int, int]:
    """Return `(offset, margin)` of a network whose 3×3 convolutions lose a pixel at each border.

    Four levels of two convolutions a block: offset 12, margin 92, so that 572 gives 388.
    """
    lost = [2 * len(block) for block in plan.encoder]
    again = [2 * len(block) for block in plan.decoder]
    down = sum(2**level * pixels for level, pixels in enumerate(lost[:-1]))
    up = sum(2**level * pixels for level, pixels in enumerate(again))
    both = down + up + 2**plan.depth * lost[-1]
    return down % 2**plan.depth, both // 2
