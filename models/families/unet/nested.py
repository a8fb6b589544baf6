"""Recognise U-Net++ in its original nested form (Zhou et al. 2018, arXiv:1807.10165).

Node X(i, j) sits i levels down and j steps to the right: `conv{i}_{j}.conv1/bn1/conv2/bn2`. It
takes X(i, 0) … X(i, j-1) and the up-sampled X(i+1, j-1), in this order. With deep supervision
`final1 … finalD` read X(0, 1) … X(0, D), and BRANCH= says which is exported, or their mean;
without it `final` reads the last. The names are those of 4uiiurz1/pytorch-nested-unet.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.errors import InputError
from models.families.family import Family
from models.families.unet.units import (
    DEFAULT,
    PUBLISHED,
    Block,
    add_block,
    add_layer,
    block_from,
    read_units,
    run_block,
)
from models.specification import Choices, Shapes, Specification

MEAN = "mean"


@dataclass(frozen=True)
class Grid:
    """Hold the nodes by their names, the heads from the shallowest, and the branch that is used."""

    depth: int
    nodes: Mapping[str, Block]
    heads: tuple[str, ...]
    branch: str
    classes: int
    mode: str
    align_corners: bool | None

    @property
    def used(self) -> tuple[int, ...]:
        """Return the branches whose logits count, from 1."""
        last = self.depth if len(self.heads) == 1 else int(self.branch.replace(MEAN, "0"))
        return (last,) if last else tuple(range(1, self.depth + 1))


def recognise(shapes: Shapes, choices: Choices) -> Specification | None:
    """Read the grid; None where a node is missing or its channels do not fit its neighbours'.

    Raises InputError where BRANCH= names none of its branches.
    """
    if choices.padding == "valid":
        return None
    depth = max((int(m[1]) for key in shapes if (m := re.match(r"conv(\d)_0\.", key))), default=0)
    nodes = {f"conv{i}_{j}": read_units(shapes, f"conv{i}_{j}") for i, j in _places(depth)}
    if depth < 1 or not all(len(block) == 2 for block in nodes.values()) or not _fits(depth, nodes):
        return None
    deep = "final1.weight" in shapes
    heads = tuple(f"final{j}" for j in range(1, depth + 1)) if deep else ("final",)
    weights = [shapes.get(f"{head}.weight", ()) for head in heads]
    width = nodes["conv0_0"][-1].outputs
    if len(set(weights)) != 1 or len(weights[0]) != 4 or weights[0][1:] != (width, 1, 1):
        return None
    mode, aligned = ("bilinear", True) if choices.interpolation != "nearest" else ("nearest", None)
    branch = _branch(choices.branch, depth, deep)
    return _specification(Grid(depth, nodes, heads, branch, weights[0][0], mode, aligned), choices)


def _specification(grid: Grid, choices: Choices) -> Specification:
    top = grid.nodes["conv0_0"]
    arguments: dict[str, object] = {
        "widths": tuple(grid.nodes[f"conv{i}_0"][-1].outputs for i in range(grid.depth + 1)),
        "deep_supervision": len(grid.heads) > 1,
        "branch": grid.branch,
        "upsampling": grid.mode,
        "nonlinearity": "ReLU",
        "norm_eps": 1e-5,
        "layers": asdict(grid),
    }
    assumed = {"nonlinearity": PUBLISHED, "norm_eps": DEFAULT}
    if choices.interpolation is None:
        assumed["upsampling"] = f"aligned at the corners, {PUBLISHED}; INTERPOLATION= settles it"
    if len(grid.heads) > 1 and choices.branch is None:
        assumed["branch"] = "the last sees most; BRANCH=1… or BRANCH=mean chooses another"
    return Specification(
        family="nested",
        architecture="U-Net++",
        in_channels=top[0].inputs,
        classes=grid.classes,
        stride=2**grid.depth,
        arguments=arguments,
        assumed=assumed,
    )


def _places(depth: int) -> list[tuple[int, int]]:
    """Return every node's (i, j), column after column: the order in which they can be computed."""
    return [(i, j) for j in range(depth + 1) for i in range(depth + 1 - j)]


def _fits(depth: int, nodes: Mapping[str, Block]) -> bool:
    """Return whether every node takes the channels that its neighbours give, and all have norms."""
    widths = [nodes[f"conv{i}_0"][-1].outputs for i in range(depth + 1)]
    whole = all(unit.norm and unit.bias for block in nodes.values() for unit in block)
    for i, j in _places(depth):
        first, second = nodes[f"conv{i}_{j}"]
        expected = j * widths[i] + widths[i + 1] if j else (widths[i - 1] if i else first.inputs)
        whole &= first.inputs == expected and first.outputs == second.inputs
        whole &= second.outputs == widths[i]
    return whole


def _branch(chosen: str | None, depth: int, deep: bool) -> str:
    names = [str(j) for j in range(1, depth + 1)]
    if not deep:
        if chosen in (None, names[-1]):
            return names[-1]
        raise InputError(
            f"BRANCH={chosen} is not there: this U-Net++ was trained without deep supervision and "
            "has one head only. Leave BRANCH= out."
        )
    if chosen is None or chosen in (*names, MEAN):
        return chosen or names[-1]
    raise InputError(f"BRANCH={chosen} is not there: choose from {', '.join((*names, MEAN))}.")


def build(specification: Specification) -> nn.Module:
    """Return the network, freshly initialised."""
    layers = cast(Mapping[str, Any], specification.arguments["layers"])
    nodes = {name: block_from(block) for name, block in layers["nodes"].items()}
    return NestedUnet(Grid(**{**layers, "nodes": nodes, "heads": tuple(layers["heads"])}))


class NestedUnet(nn.Module):
    """Run U-Net++: `(N, C, H, W)`, sides multiples of 2^depth, to logits `(N, classes, H, W)`.

    Nodes that the chosen branch does not need are not run, so a shallow branch costs less.
    """

    def __init__(self, grid: Grid):
        super().__init__()
        self.grid = grid
        for block in grid.nodes.values():
            add_block(self, block)
        width = grid.nodes["conv0_0"][-1].outputs
        for head in grid.heads:
            add_layer(self, head, nn.Conv2d(width, grid.classes, 1))
        self.up = nn.Upsample(scale_factor=2, mode=grid.mode, align_corners=grid.align_corners)

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the branches to choose from, the mean last; none without deep supervision."""
        if len(self.grid.heads) == 1:
            return ()
        return (*(str(j) for j in range(1, self.grid.depth + 1)), MEAN)

    @property
    def deepest(self) -> str:
        """Return the branch that sees every node."""
        return str(self.grid.depth)

    @property
    def branch(self) -> str:
        """Return the branch whose logits the network gives."""
        return self.grid.branch

    def at(self, branch: str) -> "NestedUnet":
        """Return the network, with the same weights, giving the logits of another branch."""
        other = copy.copy(self)
        other.grid = replace(self.grid, branch=branch)
        return other

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`: of one branch, or the mean of all."""
        nodes: dict[tuple[int, int], Tensor] = {}
        for i, j in _places(max(self.grid.used)):
            nodes[i, j] = run_block(
                self, self.grid.nodes[f"conv{i}_{j}"], self._given(x, nodes, i, j)
            )
        heads = self.grid.heads
        logits = [
            self.get_submodule(heads[j - 1] if len(heads) > 1 else heads[0])(nodes[0, j])
            for j in self.grid.used
        ]
        return logits[0] if len(logits) == 1 else torch.stack(logits).mean(dim=0)

    def _given(self, x: Tensor, nodes: dict[tuple[int, int], Tensor], i: int, j: int) -> Tensor:
        if j == 0:
            return x if i == 0 else nn.functional.max_pool2d(nodes[i - 1, 0], 2)
        left = [nodes[i, column] for column in range(j)]
        return torch.cat([*left, self.up(nodes[i + 1, j - 1])], dim=1)


FAMILY = Family(
    name="nested U-Net++",
    parts=(r"conv\d_\d\.", r"final\d?\."),
    recognise=recognise,
    build=build,
)
