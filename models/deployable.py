"""Wrap a network into the one module that is ever traced: picture in, logits and mask out."""

import torch
from torch import Tensor, nn

from models.specification import InputContract


class Deployable(nn.Module):
    """Run a network with its normalisation before it and its decision after it.

    Takes pictures `(N, channels, H, W)` in [0, 1] and returns `logits (N, C, H, W)` and the
    int32 mask of them: see `decide`.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(self, network: nn.Module, contract: InputContract, *, independent: bool = False):
        super().__init__()
        self.network = network
        self.contract = contract
        self.independent = independent
        self.register_buffer("mean", _per_channel(contract.mean))
        self.register_buffer("std", _per_channel(contract.std))
        self.eval()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(logits, mask)` of `image (N, channels, H, W)`."""
        if self.mean is not None:
            image = image - self.mean
        if self.std is not None:
            image = image / self.std
        logits = self.network(image)
        return logits, decide(logits, independent=self.independent)


def decide(logits: Tensor, *, independent: bool = False) -> Tensor:
    """Return the int32 mask that belongs to `logits (N, C, H, W)`.

    One channel: `(N, H, W)`, 1 where the logit is above 0 (a probability above one half).
    Exclusive channels (softmax): `(N, H, W)`, the channel with the largest logit.
    Independent channels (sigmoid): `(N, C, H, W)`, each decided as if it were alone.
    """
    if independent and logits.shape[1] > 1:
        return (logits > 0).to(torch.int32)
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).to(torch.int32)
    return logits.argmax(dim=1).to(torch.int32)


def name_of(path: str) -> str:
    """Return the network's own name for the module at `path` below its `Deployable`.

    The network as a whole is "network"; what stands around it has no name.

    >>> name_of("network.encoder.conv1"), name_of("network.inner.head"), name_of("network")
    ('encoder.conv1', 'head', 'network')
    """
    if path != "network" and not path.startswith("network."):
        return ""
    inside = path.removeprefix("network.").removeprefix("inner.")  # `OwnNetwork` wraps a user's
    return "network" if inside == "inner" else inside


def _per_channel(values: tuple[float, ...] | None) -> Tensor | None:
    return None if values is None else torch.tensor(values).reshape(1, -1, 1, 1)
