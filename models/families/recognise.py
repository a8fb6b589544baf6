"""Recognise the network that a state dict belongs to, from its keys and shapes alone.

A kind of network is one module in this package with a `FAMILY`, which is listed in FAMILIES;
nothing else needs to know it.
"""

import re
from pathlib import Path

from models.errors import InputError
from models.families.family import Family
from models.families.hints import key_tree, likeliest, nearest, part_names
from models.families.smp import (
    deeplabv3,
    deeplabv3plus,
    dpt,
    fpn,
    linknet,
    manet,
    pan,
    pspnet,
    segformer,
    unet,
    unetplusplus,
    upernet,
)
from models.families.trans_unet import network as trans_unet
from models.families.unet import attention, double_conv, nested, original, residual
from models.specification import Choices, Shapes, Specification

FAMILIES: tuple[Family, ...] = tuple(
    module.FAMILY
    for module in (
        *(attention, double_conv, nested, original, residual, deeplabv3, deeplabv3plus, dpt, fpn),
        *(linknet, manet, pan, pspnet, segformer, unet, unetplusplus, upernet, trans_unet),
    )
)


def recognise(
    path: Path,
    shapes: Shapes,
    choices: Choices,
    model: str = "MODEL=path/to/file.py:ClassName",
) -> tuple[Family, Specification]:
    """Return the family and specification that `shapes` belong to.

    Raises InputError when no family knows the keys, naming what they look like instead, or
    when several do. `model` is the option that would name the network's own code.
    """
    found = [(f, spec) for f in FAMILIES if (spec := f.recognise(shapes, choices)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        titles = " and ".join(specification.title for _, specification in found)
        raise InputError(f"{path.name} could be {titles}: its keys and shapes fit both.")
    _refuse_other_names(path, shapes, choices, model)
    known = likeliest(shapes)
    looks = f", which look like {known}" if known else ""
    near = nearest(shapes, {f.name: f.parts for f in sorted(FAMILIES, key=_commonest)})
    raise InputError(
        f"{path.name} is not a network that can be exported: its keys are {key_tree(shapes)}"
        f"{looks}. {near}{' ' if near else ''}docs/compatibility.md lists those that can; any "
        f"other is exported by naming its code: {model}."
    )


def _commonest(family: Family) -> bool:
    """Sort the commonest family first among families that are equally near."""
    return family.name != "smp Unet"


def _refuse_other_names(path: Path, shapes: Shapes, choices: Choices, model: str) -> None:
    """Raise InputError where the keys are those of an smp network whose parts have other names."""
    for names in part_names(shapes):
        decoder = next((own for own, part in names.items() if part == "decoder"), "decoder")
        families = _with_decoder([key for key in shapes if key.startswith(f"{decoder}.")])
        split = {key: key.partition(".") for key in shapes} if families else {}
        usual = {names.get(n, n) + dot + tail: shapes[key] for key, (n, dot, tail) in split.items()}
        try:
            found = next((s for f in families if (s := f.recognise(usual, choices))), None)
        except InputError:  # an encoder that is unknown or not settled
            continue
        if found is not None:
            pairs = " and ".join(f"`{own}.` for `{part}.`" for own, part in names.items())
            raise InputError(
                f"{path.name} has the keys of {found.title}, but with other names ({pairs}): "
                f"rename them in the state dict, or name the network's own code: {model}."
            )


def _with_decoder(keys: list[str]) -> list[Family]:
    """Return smp's families that could have a decoder with these keys, their first part aside."""
    usual = ["decoder." + key.partition(".")[2] for key in keys]
    return [
        family
        for family in FAMILIES
        if family.name.startswith("smp ")
        and any(re.match(family.parts[1], key) for key in usual)  # parts[1]: the decoder's mark
    ]
