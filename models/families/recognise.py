"""Recognise the network that a state dict belongs to, from its keys and shapes alone.

A kind of network is one module in this package with a `FAMILY`, which is listed in FAMILIES;
nothing else needs to know it.
"""

from pathlib import Path

from models.errors import InputError
from models.families.family import Family
from models.families.hints import key_tree, likeliest, nearest
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


def recognise(path: Path, shapes: Shapes, choices: Choices) -> tuple[Family, Specification]:
    """Return the family and specification that `shapes` belong to.

    Raises InputError when no family knows the keys, naming what they look like instead, or
    when several do.
    """
    found = [(f, spec) for f in FAMILIES if (spec := f.recognise(shapes, choices)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        titles = " and ".join(specification.title for _, specification in found)
        raise InputError(f"{path.name} could be {titles}: its keys and shapes fit both.")
    known = likeliest(shapes)
    looks = f", which look like {known}" if known else ""
    near = nearest(shapes, {f.name: f.parts for f in sorted(FAMILIES, key=_commonest)})
    raise InputError(
        f"{path.name} is not a network that can be exported: its keys are {key_tree(shapes)}"
        f"{looks}. {near}{' ' if near else ''}docs/compatibility.md lists those that can; any "
        "other is exported by naming its code: MODEL=path/to/file.py:ClassName."
    )


def _commonest(family: Family) -> bool:
    """Sort the commonest family first among families that are equally near."""
    return family.name != "smp Unet"
