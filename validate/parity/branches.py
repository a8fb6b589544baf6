"""Compare the branches of a network with deep supervision: time saved, and labels changed.

A U-Net++ trained with deep supervision has a head after each column of nodes, and a branch that
ends early leaves nodes out (Zhou et al. 2018, arXiv:1807.10165, "pruning"). Each branch is run
on some pictures beside the deepest one, whatever branch was exported.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import nn

from models.deployable import Deployable
from validate.images.reading import Picture
from validate.metrics.comparison import compare, measure
from validate.results.parity import Branches, BranchResult
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

PICTURES = 4
"""How many pictures each branch is run on; the first is not timed, as runtimes settle on it."""


@runtime_checkable
class Branched(Protocol):
    """Name the branches of a network, from the shallowest: `branch` is the one it gives now."""

    @property
    def branches(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def deepest(self) -> str: ...  # noqa: D102

    @property
    def branch(self) -> str: ...  # noqa: D102

    def at(self, branch: str) -> nn.Module: ...  # noqa: D102


def compared_branches(
    deployable: Deployable | None, pictures: Sequence[Picture]
) -> Branches | None:
    """Run every branch on the first of `pictures (H, W, C)`.

    None where the network is not there, or has no branches to choose from.
    """
    network: object = None if deployable is None else deployable.network
    if deployable is None or not isinstance(network, Branched) or not network.branches:
        return None
    chosen = list(pictures[:PICTURES])
    runs = {name: _run(deployable, network.at(name), chosen) for name in network.branches}
    deepest = runs[network.deepest][0]
    return Branches(
        network.deepest,
        len(chosen),
        tuple(
            _result(name, name == network.branch, milliseconds, outputs, deepest)
            for name, (outputs, milliseconds) in runs.items()
        ),
    )


def _run(
    deployable: Deployable, network: nn.Module, pictures: Sequence[Picture]
) -> tuple[list[Outputs], float]:
    eager = Eager(Deployable(network, deployable.contract, independent=deployable.independent))
    outputs, milliseconds = [], []
    for picture in pictures:
        started = time.perf_counter()
        outputs.append(eager.run(picture))
        milliseconds.append((time.perf_counter() - started) * 1000)
    return outputs, statistics.median(milliseconds[1:] or milliseconds)


def _result(
    name: str,
    exported: bool,
    milliseconds: float,
    outputs: Sequence[Outputs],
    deepest: Sequence[Outputs],
) -> BranchResult:
    pairs = zip(deepest, outputs, strict=True)
    first, *rest = (compare(expected, actual, 1.0, 1.0) for expected, actual in pairs)
    total = measure(sum(rest, start=first))
    return BranchResult(name, exported, milliseconds, total.agreement, total.classes)
