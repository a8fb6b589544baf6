"""Read convolutions with their normalisation, as U-Nets written by hand name them.

A unit is a 3×3 convolution, the batch norm that belongs to it, and a ReLU. In a numbered
sequence the gaps tell where the ReLU stands, since layers without weights count there too:
`0, 1, 3, 4` is convolution, norm, ReLU, convolution, norm, ReLU; `0, 2, 3, 5` has its norms
behind the ReLUs; `0, 2` has none. What the gaps cannot explain is not recognised: a layer without
weights may be an instance norm.
"""

import re
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from models.specification import Shapes

KERNEL = (3, 3)
PUBLISHED = "as published with these names; shapes cannot tell it"
"""Why a value is assumed that a repository, known by its names, has."""
DEFAULT = "PyTorch's default, which shapes cannot tell"
"""Why a value is assumed that hardly anybody changes."""


@dataclass(frozen=True)
class Unit:
    """Hold the paths of the layers in a state dict; `relu` is where a ReLU stands, if anywhere."""

    conv: str
    inputs: int
    outputs: int
    bias: bool
    norm: str | None
    relu: str | None
    norm_last: bool = False


Block = tuple[Unit, ...]


def children(shapes: Shapes, prefix: str) -> list[str]:
    """Return the names right below `prefix`, numbers in their order."""
    start = f"{prefix}."
    names = {k[len(start) :].partition(".")[0] for k in shapes if k.startswith(start)}
    return sorted(names, key=lambda name: (int(name) if name.isdigit() else 0, name))


def read_units(shapes: Shapes, prefix: str) -> Block:
    """Return the units below `prefix`, in the order of their numbers; none where there are others.

    >>> shapes = {"enc1.conv.0.weight": (8, 3, 3, 3), "enc1.conv.2.weight": (8, 8, 3, 3)}
    >>> [unit.conv for unit in read_units(shapes, "enc1")]
    ['enc1.conv.0', 'enc1.conv.2']
    """
    names = children(shapes, prefix)
    while len(names) == 1 and not names[0].isdigit() and not is_conv(shapes, prefix, names[0]):
        prefix, names = f"{prefix}.{names[0]}", children(shapes, f"{prefix}.{names[0]}")
    if names and all(name.isdigit() for name in names):
        return _numbered(shapes, prefix, [int(name) for name in names])
    return _named(shapes, prefix, names)


def is_conv(shapes: Shapes, prefix: str, name: str) -> bool:
    """Return whether `name` below `prefix` is a convolution with kernels of 3×3."""
    shape = shapes.get(f"{prefix}.{name}.weight", ())
    return len(shape) == 4 and shape[2:] == KERNEL


def _is_norm(shapes: Shapes, prefix: str, name: str) -> bool:
    shape = shapes.get(f"{prefix}.{name}.weight", ())
    return len(shape) == 1 and shapes.get(f"{prefix}.{name}.running_mean") == shape


def _numbered(shapes: Shapes, prefix: str, numbers: list[int]) -> Block:
    convs = [n for n in numbers if is_conv(shapes, prefix, str(n))]
    norms = [n for n in numbers if _is_norm(shapes, prefix, str(n))]
    if not convs or convs[0] != numbers[0] or len(convs) + len(norms) != len(numbers):
        return ()
    units = []
    for conv, following in zip(convs, [*convs[1:], None], strict=True):
        own = [n for n in norms if n > conv and (following is None or n < following)]
        gap = following - conv if following is not None else None
        places = _places(conv, own, gap)
        if places is None:
            return ()
        norm, relu = places
        norm_path = f"{prefix}.{norm}" if norm is not None else None
        last = norm is not None and relu < norm
        units.append(_unit(shapes, f"{prefix}.{conv}", norm_path, f"{prefix}.{relu}", last))
    return tuple(units)


def _places(conv: int, norms: list[int], gap: int | None) -> tuple[int | None, int] | None:
    """Return the numbers of a convolution's norm and ReLU; None where gaps leave them open.

    >>> _places(0, [1], 3), _places(0, [2], 3), _places(0, [], 2), _places(0, [], 3)
    ((1, 2), (2, 1), (None, 1), None)
    """
    if not norms:
        return (None, conv + 1) if gap in (None, 2) else None
    if norms == [conv + 1] and gap in (None, 3, 4):  # a fourth layer is a dropout
        return conv + 1, conv + 2
    return (conv + 2, conv + 1) if norms == [conv + 2] and gap in (None, 3, 4) else None


def _named(shapes: Shapes, prefix: str, names: list[str]) -> Block:
    """Read `conv1, bn1, conv2, bn2`, with anything before the word and a digit after it."""
    convs = {_digit(n): n for n in names if is_conv(shapes, prefix, n) and "conv" in n}
    norms = {_digit(n): n for n in names if _is_norm(shapes, prefix, n)}
    complete = not norms or norms.keys() == convs.keys()
    if not convs or len(convs) + len(norms) != len(names) or not complete:
        return ()
    return tuple(
        _unit(
            shapes,
            f"{prefix}.{convs[digit]}",
            f"{prefix}.{norms[digit]}" if norms else None,
            f"{prefix}.{convs[digit].replace('conv', 'relu')}",
        )
        for digit in sorted(convs)
    )


def _digit(name: str) -> str:
    match = re.search(r"(\d*)$", name)
    return match[1] if match else ""


def _unit(shapes: Shapes, conv: str, norm: str | None, relu: str, norm_last: bool = False) -> Unit:
    outputs, inputs = shapes[f"{conv}.weight"][:2]
    return Unit(conv, inputs, outputs, f"{conv}.bias" in shapes, norm, relu, norm_last)


def block_from(plain: Any) -> Block:
    """Return a block of a specification's arguments, where units are mappings."""
    return tuple(Unit(**unit) for unit in plain)


def add_layer(root: nn.Module, path: str, layer: nn.Module) -> None:
    """Put `layer` at a dotted path below `root`, so that its keys begin with the path."""
    *parents, name = path.split(".")
    for parent in parents:
        if not hasattr(root, parent):
            root.add_module(parent, nn.Module())
        root = root.get_submodule(parent)
    root.add_module(name, layer)


def add_block(root: nn.Module, block: Block, padding: int = 1) -> None:
    """Put the layers of `block` below `root`."""
    for unit in block:
        conv = nn.Conv2d(unit.inputs, unit.outputs, 3, padding=padding, bias=unit.bias)
        add_layer(root, unit.conv, conv)
        if unit.norm is not None:
            add_layer(root, unit.norm, nn.BatchNorm2d(unit.outputs))
        if unit.relu is not None:
            add_layer(root, unit.relu, nn.ReLU())


def run_block(root: nn.Module, block: Block, x: Tensor) -> Tensor:
    """Run `x (N, C, H, W)` through `block`."""
    for unit in block:
        order = (unit.relu, unit.norm) if unit.norm_last else (unit.norm, unit.relu)
        for path in (unit.conv, *order):
            if path is not None:
                x = root.get_submodule(path)(x)
    return x
