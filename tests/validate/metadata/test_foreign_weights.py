"""A neighbouring epoch's file is told by its weights, and no healthy file is taken for one."""

import copy
import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from export.bundle import read_bundle
from models.deployable import Deployable
from models.specification import InputContract, Specification
from validate.metadata.check import check_statements
from validate.metadata.compare_weights import ExpectedWeights, foreign_weights
from validate.metadata.network_weights import applied_weights

FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")
EPOCHS = {
    "noise": lambda weight: weight * (1 + 2e-4 * torch.randn_like(weight)),
    "scaled": lambda weight: weight * 1.0002,
    "a step of training": lambda weight: weight + 2e-4 * weight.std() * torch.randn_like(weight),
}


def neighbour(network: nn.Module, change) -> nn.Module:
    """A copy whose convolutions are about 0.02 % away."""
    torch.manual_seed(0)
    moved = copy.deepcopy(network)
    with torch.no_grad():
        for module in moved.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(change(module.weight))
    return moved


@pytest.mark.parametrize("epoch", EPOCHS)
def test_files_of_a_neighbouring_epoch_are_told_in_every_format(tiny, epoch):
    network, folder = tiny
    bundle = read_bundle(folder)
    other = Deployable(neighbour(network, EPOCHS[epoch]), bundle.contract)
    found = {each.path: each.sentence for each in check_statements(bundle, folder, other)}
    assert set(found) == {artifact.path for artifact in bundle.artifacts}
    for path, sentence in found.items():
        assert sentence.startswith(f"{path} has weights of another checkpoint: ")
        assert re.search(r" is 0\.0[23]\d? % away from ", sentence)
        assert "and 16 more are like it" in sentence


def test_one_layer_of_another_epoch_is_told_with_its_module(tiny):
    network, folder = tiny
    bundle = read_bundle(folder)
    moved = copy.deepcopy(network)
    with torch.no_grad():
        moved.decoder.blocks[1].conv1[0].weight.mul_(1.0002)
    found = check_statements(bundle, folder, Deployable(moved, bundle.contract))
    assert len(found) == len(FORMATS)
    assert all("away from decoder.blocks.1.conv1.0 in the network" in v.sentence for v in found)


class Odd(nn.Module):
    """A network of a user's own that does to its weights what no table of modules foresees."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.gain = nn.Parameter(torch.full((8, 1, 1), 0.98))
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2, groups=2)
        self.last = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.first(x)) * 0.97
        x = F.conv2d(x, self.second.weight - 0.01 * self.second.weight.mean(), padding=1, groups=2)
        x = self.last(self.up(F.max_pool2d(x.relu() * self.gain, 2)))
        return self.head(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@pytest.fixture
def odd():
    torch.manual_seed(1)
    network = Odd()
    for norm in (network.norm, network.last):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        norm.running_var.uniform_(0.5, 2.0)
    contract = InputContract(32, 32)
    return Deployable(network.eval().requires_grad_(False), contract)


def applied_by(deployable):
    return applied_weights(deployable, Specification("own", "Odd", 3, 2, 1, {}))


def test_weights_are_seen_as_they_are_applied(odd):
    network = odd.network
    found = applied_by(odd)
    assert [each.module for each in found] == ["", "up", "up", "head"]
    assert torch.equal(found[0].weight, network.second.weight - 0.01 * network.second.weight.mean())
    scale = network.last.weight / (network.last.running_var + network.last.eps).sqrt()
    assert torch.allclose(found[2].scale, scale.double())
    assert (found[2].transposed, found[2].groups) == (True, 2)


def folded(network: Odd) -> Tensor:
    """The transposed convolution with its batch norm, written out channel by channel."""
    weight = network.up.weight.clone()
    scale = network.last.weight / (network.last.running_var + network.last.eps).sqrt()
    for channel in range(8):
        group, within = divmod(channel, 4)
        weight[4 * group : 4 * group + 4, within] *= scale[channel]
    return weight


def test_a_grouped_transposed_convolution_is_folded_by_its_output_channels(odd):
    weight = folded(odd.network).numpy()
    expected = ExpectedWeights(applied_by(odd))
    assert foreign_weights({"up": weight}, expected) == ()
    assert foreign_weights({"up": weight.astype(np.float16)}, expected) == ()
    (found,) = foreign_weights({"up": weight * np.float32(1.001)}, expected)
    assert (found.operation, found.module) == ("up", "up")
    assert found.distance == pytest.approx(1e-3, rel=1e-3)


def test_a_matrix_may_be_stored_transposed(odd):
    expected = ExpectedWeights(applied_by(odd))
    matrix = odd.network.head.weight.numpy()
    assert foreign_weights({"head": matrix.T.copy()}, expected) == ()
    assert len(foreign_weights({"head": matrix.T * np.float32(1.01)}, expected)) == 1


def test_a_factor_that_may_be_folded_is_not_mistaken_for_another_epoch(odd):
    """The first convolution's result is multiplied by 0.97, which a converter may fold into it."""
    weight = odd.network.first.weight.numpy() * np.float32(0.97)
    assert foreign_weights({"first": weight}, ExpectedWeights(applied_by(odd))) == ()


class Frozen(nn.Module):
    """Batch norms as constant factors, a convolution that is applied twice, and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 2, 1)
        self.norm = nn.BatchNorm2d(2)
        self.register_buffer("variance", torch.rand(8) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        scale = (self.variance + 1e-5).rsqrt().reshape(1, -1, 1, 1)
        x = (self.first(x) * scale).relu()
        x = self.shared(x) + self.shared(x.flip(3)) * 0.98
        return self.norm(F.dropout(self.head(x).contiguous(), training=False))


def test_what_is_multiplied_anywhere_by_a_constant_is_left_out():
    found = applied_by(Deployable(Frozen().eval(), InputContract(32, 32)))
    assert [(each.module, each.scale is None) for each in found] == [
        ("head", True),
        ("head", False),
    ]


def test_weights_that_nothing_is_near_are_left_to_parity(odd):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(8, 4, 2, 2)).astype(np.float32)
    broken = np.full((8, 4, 2, 2), np.nan, np.float32)
    assert foreign_weights({"up": weight, "other": broken}, ExpectedWeights(applied_by(odd))) == ()


def test_a_network_that_takes_no_small_picture_is_run_at_its_size():
    class Large(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            if x.shape[-1] < 32:
                raise RuntimeError("too small")
            return self.head(x)

    (found,) = applied_by(Deployable(Large(), InputContract(32, 32)))
    assert found.module == "head"
