"""Offer the user's network as the key report and the loading take a family."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from models.checkpoints import Checkpoint, StateDict, normalise
from models.custom.errors import user_code_errors
from models.custom.load_module import LoadedNetwork, run_named
from models.custom.option import NamedModule
from models.custom.outputs import OwnNetwork
from models.custom.probe import ProbeResult, probe
from models.errors import InputError
from models.families.family import Family
from models.specification import InputContract, Specification

REMEDY = "MODEL_ARGS= sets what the constructor is called with."


@dataclass(frozen=True, kw_only=True)
class OwnFamily(Family):
    """Hold a family of one network, which the user's code has made."""

    named: NamedModule
    ran: LoadedNetwork
    network: OwnNetwork
    specification: Specification

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about the output."""
        return self.network.output.notes

    def normalise(self, checkpoint: Checkpoint) -> StateDict:
        """Return the checkpoint's state dict without the prefix that the network's keys lack."""
        wanted = set(self.network.state_dict())
        prefix = best_prefix([*checkpoint.tensors, *checkpoint.unusable], wanted)
        return normalise(checkpoint, prefix)

    def require_runs(self, contract: InputContract) -> None:
        """Run the network, with its weights, at the size of the export.

        Raises InputError, naming the line, where it raises, and where all it gives lies in
        [0, 1], as behind a sigmoid that is not the last thing that `forward` does.
        """
        size = f"{contract.width}x{contract.height}"
        generator = torch.Generator().manual_seed(5)
        noise = torch.rand(contract.shape, generator=generator)
        what = f"{self.named.option} does not run at SIZE={size}"
        lowest, highest = float("inf"), -float("inf")
        for image in (noise, torch.zeros_like(noise), 100 * (noise - 0.5)):
            with user_code_errors(what, self.ran.folders[-1]), torch.no_grad():
                logits = self.network(image)
            lowest = min(lowest, float(logits.min()))
            highest = max(highest, float(logits.max()))
        if lowest >= 0 and highest <= 1:
            raise InputError(
                f"{self.named.option} gives only values from {lowest:.3g} to {highest:.3g}, "
                "which are probabilities and not logits: let forward return what goes into its "
                "sigmoid or softmax, or let that be the last thing it does."
            )


def own_family(named: NamedModule) -> OwnFamily:
    """Run the user's code, and find out what its network takes and gives.

    Raises InputError as `run_named` and `probe` do.
    """
    ran = run_named(named)
    probed = probe(ran, named.option)
    specification = _specification(named, probed)
    network = OwnNetwork(ran.network, probed.output)
    return OwnFamily(
        name="own module",
        parts=(),
        recognise=lambda _shapes, _choices: specification,
        build=lambda _specification: network,
        renamed=lambda keys, _specification: _renamed(network, set(keys)),
        named=named,
        ran=ran,
        network=network,
        specification=specification,
    )


def _specification(named: NamedModule, probed: ProbeResult) -> Specification:
    activation = probed.output.activation
    if activation == "softmax" and probed.classes == 1:
        raise InputError(
            f"{named.option} ends in a softmax over one channel, which is 1 everywhere: give it "
            "two channels, or a sigmoid."
        )
    return Specification(
        family="own module",
        architecture=named.name,
        in_channels=probed.in_channels,
        classes=probed.classes,
        stride=probed.stride,
        arguments=dict(named.arguments),
        offset=probed.offset,
        margin=probed.margin,
        activation=activation,
        fixed_size=probed.fixed_size,
    )


def _renamed(network: nn.Module, keys: set[str]) -> dict[str, str]:
    """Return network key → checkpoint key, where the checkpoint is a part of the network."""
    own = list(network.state_dict())
    prefix = best_prefix(own, keys)
    return {key: key.removeprefix(prefix) for key in own if prefix and key.startswith(prefix)}


def best_prefix(keys: Iterable[str], wanted: set[str]) -> str:
    """Return what stands before most of those `keys` that are `wanted` without it.

    >>> best_prefix(["model.a.weight", "model.b.weight", "loss.c"], {"a.weight", "b.weight"})
    'model.'
    """
    matches = {"": 0}
    for key in keys:
        parts = key.split(".")
        for cut in range(len(parts)):
            front = "".join(f"{part}." for part in parts[:cut])
            matches[front] = matches.get(front, 0) + (key[len(front) :] in wanted)
    return max(matches, key=lambda front: (matches[front], -len(front)))
