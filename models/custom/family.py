"""Offer the user's network as the key report and the loading take a family."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

from models.checkpoints import Checkpoint, StateDict, normalise
from models.custom.errors import blamed
from models.custom.load_module import Ran, run_named
from models.custom.option import NamedModule
from models.custom.outputs import OwnNetwork
from models.custom.probe import probe
from models.errors import InputError
from models.specification import Choices, InputContract, Specification

Shapes = Mapping[str, tuple[int, ...]]
REMEDY = "MODEL_ARGS= sets what the constructor is called with."


@dataclass(frozen=True)
class OwnFamily:
    """Hold a family of one network, which the user's code has made; see models.families."""

    named: NamedModule
    ran: Ran
    network: OwnNetwork
    specification: Specification
    # The methods below take shapes and keys like every family's, but the network itself tells all.
    NAME = "own module"
    PARTS = tuple[str, ...]()

    def recognise(self, shapes: Shapes, choices: Choices) -> Specification:  # noqa: ARG002
        """Return what running the network told, whatever the shapes."""
        return self.specification

    def build(self, specification: Specification) -> nn.Module:  # noqa: ARG002
        """Return the network as the user's code made it."""
        return self.network

    def ignored(self, key: str) -> str | None:  # noqa: ARG002
        """Return None: nothing says that any key of the user's network is of no use."""
        return None

    def renamed(
        self,
        keys: Iterable[str],
        specification: Specification,  # noqa: ARG002
    ) -> dict[str, str]:
        """Return network key → checkpoint key, where the checkpoint is a part of the network."""
        own, there = list(self.network.state_dict()), set(keys)
        prefix = best_prefix(own, there)
        return {key: key[len(prefix) :] for key in own if prefix and key.startswith(prefix)}

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
        import torch

        size = f"{contract.width}x{contract.height}"
        generator = torch.Generator().manual_seed(5)
        noise = torch.rand(contract.shape, generator=generator)
        what = f"{self.named.option} does not run at SIZE={size}"
        lowest, highest = float("inf"), -float("inf")
        for image in (noise, torch.zeros_like(noise), 100 * (noise - 0.5)):
            with blamed(what, self.ran.folders[-1]), torch.no_grad():
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
    activation = probed.output.activation
    if activation == "softmax" and probed.classes == 1:
        raise InputError(
            f"{named.option} ends in a softmax over one channel, which is 1 everywhere: give it "
            "two channels, or a sigmoid."
        )
    specification = Specification(
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
    return OwnFamily(named, ran, OwnNetwork(ran.network, probed.output), specification)


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
