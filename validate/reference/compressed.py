"""Build the network that a compressed file stands for: PyTorch's own, with the file's weights.

A file may depart from the checkpoint's network by what its form of weights loses, but not from this
one. Each weight of the file is held against those that the network applies; a batch norm's factor
that the converter folded into it is taken out again:

    W' = w / s      w the file's numbers, s the factor of each output channel
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from export.bundle import Artifact, Bundle
from models.deployable import Deployable
from models.errors import InputError
from validate.metadata.compare_weights import FAR, ExpectedWeights
from validate.metadata.compressed_weights import CompressedWeight
from validate.metadata.content import read_content
from validate.metadata.network_weights import APPLIED, Applied, applied_weights

Weights = Mapping[int, Tensor]
"""The weight of a call, by the call's number in `Applied`."""


class CompressedNetwork(Deployable):
    """Run a network with other weights in the place of some of its own.

    Takes and returns what the network does: pictures `(N, channels, H, W)`, and logits and masks.
    """

    def __init__(self, plain: Deployable, weights: Weights):
        super().__init__(plain.network, plain.contract, independent=plain.independent)
        self._weights = weights

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(logits, mask)` of `image (N, channels, H, W)`."""
        with _Substitution(self._weights):
            return super().forward(image)


def compressed_network(
    plain: Deployable, bundle: Bundle, folder: Path, artifact: Artifact
) -> CompressedNetwork:
    """Return `plain` with the weights that the file of `artifact` in `folder` holds.

    Weights that are none of the network's are left out: `check_statements` tells of them. Raises
    InputError where the file is damaged, or no call of the network is known.
    """
    applied = applied_weights(plain, bundle.specification)
    if not applied:
        raise InputError("which weights the network applies is not known")
    expected, content = ExpectedWeights(applied), read_content(folder / artifact.path, "mlprogram")
    weights: dict[int, Tensor] = {}
    for weight in content.compressed.values():
        weights |= _found(weight, expected, applied)
    return CompressedNetwork(plain, weights)


def _found(
    weight: CompressedWeight, expected: ExpectedWeights, applied: tuple[Applied, ...]
) -> Weights:
    """Return the calls that apply a weight of the file, with what the file has in its place."""
    candidates = expected.of_size(weight.indices.size)
    if candidates is None:
        return {}
    values = weight.values
    sampled = values.reshape(-1)[candidates.positions].astype(np.float64)
    nearest, distance = candidates.nearest(sampled)
    if not distance <= FAR:
        return {}
    owner = candidates.applied[nearest]
    values = values.T if candidates.flipped[nearest] else values
    plain = _unfolded(torch.from_numpy(values.astype(np.float64)), owner)
    same = (each for each in applied if each.weight.data_ptr() == owner.weight.data_ptr())
    calls = {each.call for each in same if owner.scale is None} | {owner.call}
    return dict.fromkeys(calls, plain)


def _unfolded(values: Tensor, owner: Applied) -> Tensor:
    scale = owner.scale_at(torch.arange(values.numel())).reshape(owner.weight.shape)
    values = values.reshape(owner.weight.shape)
    own = owner.weight.double()
    return torch.where(scale == 0, own, values / scale).float()


class _Substitution(TorchFunctionMode):
    """Give the calls that apply a weight another one, by their number."""

    def __init__(self, weights: Weights):
        super().__init__()
        self._weights = weights
        self._calls = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") not in APPLIED:
            return function(*args, **kwargs)
        call, self._calls = self._calls, self._calls + 1
        weight = self._weights.get(call)
        if weight is None:
            return function(*args, **kwargs)
        if len(args) > 1:
            return function(args[0], weight, *args[2:], **kwargs)
        return function(*args, **{**kwargs, "weight": weight})
