"""Weights of a file against folded PyTorch modules; torch's own folding is the oracle."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from validate.drift.weights import weight_differences


def norm_of(channels):
    norm = nn.BatchNorm2d(channels, eps=1e-3)
    with torch.no_grad():
        for tensor in (norm.weight, norm.running_var):
            tensor.uniform_(0.5, 2)
        for tensor in (norm.bias, norm.running_mean):
            tensor.normal_()
    return norm.eval()


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(3)


def stored(module, dtype=np.float32):
    return {
        "weight": module.weight.detach().numpy().astype(dtype),
        "bias": module.bias.detach().numpy().astype(dtype),
    }


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize(
    ("convolution", "transposed"),
    [
        (nn.Conv2d(4, 6, 3), False),
        (nn.Conv2d(4, 6, 3, groups=2, bias=False), False),
        (nn.ConvTranspose2d(4, 6, 2), True),
    ],
    ids=["conv", "grouped", "transposed"],
)
def test_a_folded_batch_norm_agrees_and_another_epsilon_does_not(convolution, transposed, dtype):
    norm = norm_of(6)
    modules = [("conv", convolution.eval()), ("bn", norm)]
    fused = fuse_conv_bn_eval(convolution, norm, transpose=transposed)
    agreeing = weight_differences(stored(fused, dtype), modules)
    assert [each.parameter for each in agreeing] == ["weight", "bias"]
    assert not any(each.differs for each in agreeing)
    assert {each.source for each in agreeing} == {"conv + bn"}
    norm.eps = 1e-2
    assert all(each.differs for each in weight_differences(stored(fused, dtype), modules))


def test_a_grouped_transposed_convolution_is_folded_as_it_computes():
    convolution, norm = nn.ConvTranspose2d(4, 6, 2, groups=2), norm_of(6)
    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        folded = nn.ConvTranspose2d(4, 6, 2, groups=2)
        folded.weight.copy_(convolution.weight)
        folded.weight[:2] *= scale[:3].reshape(1, 3, 1, 1)
        folded.weight[2:] *= scale[3:].reshape(1, 3, 1, 1)
        folded.bias.copy_((convolution.bias - norm.running_mean) * scale + norm.bias)
        x = torch.randn(1, 4, 5, 5)
        torch.testing.assert_close(folded(x), norm(convolution(x)))
    found = weight_differences(stored(folded), [("up", convolution), ("bn", norm)])
    assert not any(each.differs for each in found)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: -w, "has the opposite sign"),
        (np.zeros_like, "is all zero"),
        (lambda w: 255 * w, "is 255 times it"),
        (lambda w: np.roll(w, 1, 0), "has the same values in another order"),
        (lambda w: w * np.float32(np.inf), "is not finite"),
        (lambda w: w[:, :2], "has another shape"),
        (lambda w: np.where(np.arange(w.size).reshape(w.shape) == 7, w + 1, w), ""),
    ],
)
def test_what_was_done_to_a_weight_is_told(change, told):
    convolution = nn.Conv2d(4, 6, 3)
    values = {"weight": change(convolution.weight.detach().numpy())}
    (weight,) = weight_differences(values, [("conv", convolution)])
    assert weight.differs
    assert weight.change == told


def test_weights_below_the_normal_numbers_of_float16_are_told():
    linear = nn.Linear(8, 4)
    values = {"weight": (1e-5 * linear.weight.detach().numpy()).astype(np.float16)}
    (weight,) = weight_differences(values, [("block", nn.GELU()), ("fc", linear)])
    assert "too small for float16" in weight.change


def test_nothing_is_compared_where_something_else_may_be_folded():
    convolution = nn.Conv2d(4, 6, 3)
    assert weight_differences(stored(convolution), [("c", convolution), ("b", nn.GELU())]) == ()
    assert weight_differences(stored(convolution), []) == ()


def test_a_batch_norm_of_its_own_is_compared_by_its_parts():
    norm = norm_of(5)
    values = {
        "gamma": norm.weight.detach().numpy(),
        "beta": norm.bias.detach().numpy(),
        "mean": norm.running_mean.numpy(),
        "variance": np.ones(5, np.float32),
    }
    found = weight_differences(values, [("bn", norm)])
    assert [each.parameter for each in found if each.differs] == ["variance"]
