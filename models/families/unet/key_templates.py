"""Read a hand-written U-Net's plan from its keys, by templates of the layers' names.

A name is a template: `{n}` counts levels, the topmost being the templates' `first`, and `{above}`
is `n + 1`; `{k}` counts the steps upward from the bottleneck, from 1, `{z}` the same from 0, and
`{even}`, `{odd}` are `2z` and `2z + 1`. Where a role has several names, a network uses one of them
throughout.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from models.errors import InputError
from models.families.unet.plan import UnetPlan, Up, is_consistent, uniform
from models.families.unet.units import Block, read_units
from models.specification import Choices, Shapes

Names = tuple[str, ...]
MOST_LEVELS = 8
"""Levels beyond which no network is searched for."""
MODES = ("nearest", "bilinear")
"""Ways of resizing that hand-written U-Nets have."""


@dataclass(frozen=True)
class KeyTemplates:
    """Hold the names of one way to write a U-Net; blocks are one or several prefixes of units.

    `encoder` names the blocks of the levels, `bottom` the one below them (the next of `encoder`
    where empty). `skip_first` is the order in which the published forward concatenates, `resize`
    what it resizes with where up-sampling has no weights, `sigmoid` whether it ends in one.
    """

    name: str
    encoder: tuple[Names, ...]
    up: Names
    decoder: tuple[Names, ...]
    head: Names
    bottom: tuple[Names, ...] = ()
    first: int = 1
    top: Names = ()
    skip_first: bool = False
    resize: tuple[str, bool | None] = ("bilinear", True)
    sigmoid: bool = False


def read_plan(
    shapes: Shapes, templates: KeyTemplates, choices: Choices, padding: int
) -> UnetPlan | None:
    """Return the plan of a state dict with these names; None where it does not fit them.

    >>> blocks = {"encoder": (("enc{n}",),), "bottom": (("mid",),), "decoder": (("dec{n}",),)}
    >>> templates = KeyTemplates("", up=("up{n}",), head=("out",), **blocks)
    >>> shapes = {"enc1.0.weight": (8, 3, 3, 3), "mid.0.weight": (16, 8, 3, 3),
    ...           "up1.weight": (16, 8, 2, 2), "dec1.0.weight": (8, 16, 3, 3),
    ...           "out.weight": (2, 8, 1, 1)}
    >>> plan = read_plan(shapes, templates, Choices(), padding=1)
    >>> plan.depth, plan.ups[0].transposed, plan.decoder[0][0].conv, plan.classes
    (1, 'up1', 'dec1.0', 2)
    """
    for single in _single(templates):
        plan = _plan(shapes, single, choices, padding)
        if plan is not None and is_consistent(plan):
            return uniform(plan)
    return None


def _single(templates: KeyTemplates) -> Iterator[KeyTemplates]:
    """Yield the templates with one name for each role."""
    bottoms = templates.bottom or ((),)
    roles = (templates.encoder, bottoms, templates.decoder, templates.up, templates.head)
    for encoder, bottom, decoder, up, head in product(*roles):
        single = replace(templates, encoder=(encoder,), bottom=(bottom,), decoder=(decoder,))
        yield replace(single, up=(up,), head=(head,))


def _plan(
    shapes: Shapes, templates: KeyTemplates, choices: Choices, padding: int
) -> UnetPlan | None:
    head = templates.head[0]
    head_shape = shapes.get(f"{head}.weight", ())
    if len(head_shape) != 4 or head_shape[2:] != (1, 1):
        return None
    encoder = _encoder(shapes, templates)
    depth = len(encoder) - 1
    if depth < 1:
        return None
    counts = [_counts(level, depth, templates.first) for level in range(depth)]
    decoder = [_block(shapes, templates.decoder[0], count) for count in counts]
    if not all(decoder) or head_shape[1] != decoder[0][-1].outputs:
        return None
    below = [block[-1].outputs for block in (*decoder[1:], encoder[-1])]
    resize = _resizing(templates, choices)
    paths = [templates.up[0].format(**count) for count in counts]
    ups = [read_up(shapes, *at, resize) for at in zip(paths, below, strict=True)]
    if not all(ups):
        return None
    return UnetPlan(
        encoder=tuple(encoder),
        ups=tuple(filter(None, ups)),
        decoder=tuple(decoder),
        head=head,
        classes=head_shape[0],
        skip_first=templates.skip_first,
        padding=padding,
    )


def _counts(level: int, depth: int, first: int) -> dict[str, int]:
    step = depth - 1 - level
    up = {"k": step + 1, "z": step, "even": 2 * step, "odd": 2 * step + 1}
    return {"n": level + first, "above": level + first + 1, **up}


def _block(shapes: Shapes, names: Names, counts: Mapping[str, int]) -> Block:
    """Return all units of a block; none where one of its prefixes has none."""
    parts = [read_units(shapes, name.format(**counts)) for name in names]
    return tuple(unit for part in parts for unit in part) if all(parts) else ()


def _encoder(shapes: Shapes, templates: KeyTemplates) -> list[Block]:
    """Return the blocks from the top to the bottleneck; none where there is no bottleneck."""
    blocks: list[Block] = []
    bottom = templates.bottom[0]
    while len(blocks) <= MOST_LEVELS:
        count = {"n": len(blocks) + templates.first}
        names = templates.encoder[0] if blocks else templates.top or templates.encoder[0]
        block = _block(shapes, names, count)
        if not block:
            last = _block(shapes, bottom, count) if bottom else ()
            return [*blocks, last] if last else ([] if bottom else blocks)
        blocks.append(block)
    return []


def _resizing(templates: KeyTemplates, choices: Choices) -> tuple[str, bool | None]:
    mode, aligned = templates.resize
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
