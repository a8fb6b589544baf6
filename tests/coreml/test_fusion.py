"""Packed convolutions and joined steps compute what the plain operations compute."""

import itertools

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from torch.nn import functional

from validate import coreml
from validate.coreml.execution.executor import Executable
from validate.coreml.execution.fusion import fuse
from validate.coreml.ops.convolution import conv
from validate.coreml.ops.packed import is_available, pack

packed_only = pytest.mark.skipif(not is_available(), reason="this torch has no packed convolution")
RNG = np.random.default_rng(7)


def floats(*shape):
    return torch.from_numpy(RNG.standard_normal(shape).astype(np.float32))


@packed_only
@pytest.mark.parametrize(("groups", "kernel"), [(1, (3, 3)), (4, (1, 5)), (8, (3, 2))])
def test_packed_convolution_is_the_plain_one_for_every_geometry_and_size(groups, kernel):
    weight, bias = floats(8, 8 // groups, *kernel), floats(8)
    geometries = itertools.product(
        [(1, 1), (2, 3)],
        [("valid", None), ("same", None), ("same_lower", None), ("custom", (0, 1, 2, 0))],
        [(1, 1), (2, 1)],
    )
    for strides, (pad_type, pad), dilations in geometries:
        options = (strides, pad_type, pad, dilations, groups)
        packed = pack(weight.clone(), bias, *options)
        for size in [(1, 8, 12, 11), (3, 8, 17, 20)]:
            x = floats(*size)
            expected = conv(x, weight, bias, *options)
            np.testing.assert_allclose(packed(x), expected, atol=1e-4)
            transposed = x.mT.contiguous().mT
            np.testing.assert_allclose(packed(transposed), expected, atol=1e-4)


@pytest.fixture
def network(save_program):
    """Residual blocks whose second operand has the same shape, is broadcast, or is used twice."""
    weight = [floats(6, 6, 3, 3).numpy() * 0.3 for _ in range(4)]

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 6, 9, 9))], opset_version=ct.target.iOS15)
    def program(x):
        a = mb.relu(x=mb.conv(x=x, weight=weight[0], pad_type="same"))
        b = mb.add(x=mb.conv(x=a, weight=weight[1], pad_type="same"), y=x)
        mean = mb.reduce_mean(x=b, axes=[2, 3], keep_dims=True)
        c = mb.relu(x=mb.add(x=mean, y=mb.conv(x=b, weight=weight[2], pad_type="same")))
        d = mb.conv(x=c, weight=weight[3], pad_type="same")
        e = mb.add(x=d, y=d)
        return mb.concat(values=[mb.relu(x=e), mb.relu(x=d), mb.relu(x=mb.add(x=a, y=1.0))], axis=1)

    return save_program(program), [torch.from_numpy(each) for each in weight]


def by_hand(x, weight):
    first, second, third, fourth = weight

    def same(y, w):
        return functional.conv2d(y, w, padding=1)

    a = same(x, first).relu()
    b = same(a, second) + x
    c = (b.mean((2, 3), keepdim=True) + same(b, third)).relu()
    d = same(c, fourth)
    return torch.cat(((d + d).relu(), d.relu(), (a + 1).relu()), 1)


def test_joined_steps_compute_what_the_graph_says(network):
    path, weight = network
    x = floats(1, 6, 9, 9)
    for arithmetic in ("float32", "as_stored"):
        (result,) = coreml.load(path, arithmetic=arithmetic).predict({"x": x}).values()
        np.testing.assert_allclose(result, by_hand(x, weight), atol=1e-4)


@packed_only
def test_steps_are_joined_only_where_one_step_uses_a_value(network):
    graph = coreml.load(network[0]).graph
    kinds = [step.op_type for step in fuse(graph, rounds=False).steps]
    # The first three convolutions take in what follows; d is used three times.
    assert sorted(kinds) == sorted(["relu"] * 5 + ["add", "reduce_mean", "conv", "concat"])
    assert Executable(fuse(graph, rounds=True), rounds=True)
