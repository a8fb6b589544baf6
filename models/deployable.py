"""The one module that is ever traced: picture in, logits and mask out."""

import torch
from torch import Tensor, nn

from models.specification import InputContract


class Deployable(nn.Module):
    """A network with its normalisation before it and its decision after it.

    Takes RGB `(N, 3, H, W)` in [0, 1] and returns `logits (N, C, H, W)` and the int32
    `mask (N, H, W)`: the class with the largest logit, or `logit > 0` (a probability above
    one half) where there is one channel only.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(self, network: nn.Module, contract: InputContract):
        super().__init__()
        self.network = network
        self.contract = contract
        self.register_buffer("mean", _per_channel(contract.mean))
        self.register_buffer("std", _per_channel(contract.std))
        self.eval()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(logits, mask)` of `image (N, 3, H, W)`."""
        if self.mean is not None:
            image = image - self.mean
        if self.std is not None:
            image = image / self.std
        logits = self.network(image)
        return logits, decide(logits)


def decide(logits: Tensor) -> Tensor:
    """The mask `(N, H, W)`, int32, that belongs to `logits (N, C, H, W)`."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).to(torch.int32)
    return logits.argmax(dim=1).to(torch.int32)


def _per_channel(values: tuple[float, ...] | None) -> Tensor | None:
    return None if values is None else torch.tensor(values).reshape(1, -1, 1, 1)
