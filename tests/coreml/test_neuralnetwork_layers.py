"""Layers of neural networks, one at a time, against numpy and PyTorch."""

import numpy as np
import pytest
import torch
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder
from torch.nn import functional

from models.errors import InputError
from validate import coreml

RNG = np.random.default_rng(0)


def builder_of(*shapes, exact=True, outputs=("y",)):
    inputs = [(f"x{i}", datatypes.Array(*shape)) for i, shape in enumerate(shapes)]
    return NeuralNetworkBuilder(
        inputs, [(name, None) for name in outputs], disable_rank5_shape_mapping=exact
    )


@pytest.fixture
def run(tmp_path):
    """Return a function that saves a network, loads it and predicts."""

    def run(builder, *inputs):
        path = tmp_path / "network.mlmodel"
        path.write_bytes(builder.spec.SerializeToString())
        results = coreml.load(path).predict({f"x{i}": value for i, value in enumerate(inputs)})
        return results["y"] if set(results) == {"y"} else results

    return run


def values(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def test_convolution_with_groups_strides_and_dilation(run):
    builder = builder_of((2, 4, 11, 9))
    weight, bias = values(6, 2, 3, 2), values(6)
    builder.add_convolution(
        "conv", 2, 6, 3, 2, 2, 1, "valid", 2, weight.transpose(2, 3, 1, 0), bias, True,
        input_name="x0", output_name="y", dilation_factors=[2, 1],
        padding_top=1, padding_bottom=2, padding_left=0, padding_right=1,
    )  # fmt: skip
    x = values(2, 4, 11, 9)
    padded = functional.pad(torch.from_numpy(x), (0, 1, 1, 2))
    expected = torch.conv2d(
        padded, torch.from_numpy(weight), torch.from_numpy(bias), (2, 1), 0, (2, 1), 2
    )
    np.testing.assert_allclose(run(builder, x), expected.numpy(), atol=1e-5)


def test_deconvolution(run):
    builder = builder_of((1, 4, 5, 6))
    weight = values(4, 3, 3, 3)
    builder.add_convolution(
        "deconv", 4, 6, 3, 3, 2, 2, "valid", 2, weight.transpose(2, 3, 0, 1), None, False,
        is_deconv=True, input_name="x0", output_name="y",
        padding_top=1, padding_bottom=1, padding_left=1, padding_right=1,
    )  # fmt: skip
    x = values(1, 4, 5, 6)
    expected = functional.conv_transpose2d(
        torch.from_numpy(x), torch.from_numpy(weight), None, 2, 1, 0, 2
    )
    np.testing.assert_allclose(run(builder, x), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("exclude", [False, True])
def test_average_pooling_that_includes_the_last_pixel(run, exclude):
    builder = builder_of((1, 2, 8, 7))
    builder.add_pooling(
        "pool", 3, 3, 2, 2, "AVERAGE", "INCLUDE_LAST_PIXEL", "x0", "y", exclude,
        padding_top=1, padding_bottom=1, padding_left=1, padding_right=1,
    )  # fmt: skip
    x = values(1, 2, 8, 7)
    expected = functional.avg_pool2d(torch.from_numpy(x), 3, 2, 1, True, not exclude)
    np.testing.assert_allclose(run(builder, x), expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("align", [True, False])
def test_bilinear_upsampling_is_pytorchs(run, align):
    builder = builder_of((1, 2, 5, 4))
    mode = "ALIGN_CORNERS_TRUE" if align else "ALIGN_CORNERS_FALSE"
    builder.add_upsample("up", 2, 3, "x0", "y", "BILINEAR", mode)
    x = values(1, 2, 5, 4)
    expected = functional.interpolate(
        torch.from_numpy(x), size=(10, 12), mode="bilinear", align_corners=align
    )
    np.testing.assert_allclose(run(builder, x), expected.numpy(), atol=1e-6)


def test_resize_bilinear_samples_as_specified(run):
    builder = builder_of((1, 1, 1, 4))
    builder.add_resize_bilinear("resize", "x0", "y", 1, 2, "ALIGN_ENDPOINTS_MODE")
    x = np.array([0, 10, 20, 30], np.float32).reshape(1, 1, 1, 4)
    assert run(builder, x).reshape(-1).tolist() == [0, 30]
    builder = builder_of((1, 1, 1, 4))
    builder.add_resize_bilinear("resize", "x0", "y", 1, 2, "UPSAMPLE_MODE")
    assert run(builder, x).reshape(-1).tolist() == [0, 20]
    builder = builder_of((1, 1, 1, 4))
    builder.add_resize_bilinear("resize", "x0", "y", 1, 2, "ROI_ALIGN_MODE")
    assert run(builder, x).reshape(-1).tolist() == [7.5, 22.5]


def test_scatter_combines_with_what_is_there(run):
    for mode, expected in (
        ("UPDATE", [9, 2, 3, 8]),
        ("ADD", [10, 2, 3, 12]),
        ("DIV", [1 / 9, 2, 3, 0.5]),
        ("MAX", [9, 2, 3, 8]),
    ):
        builder = builder_of((4,), (2,), (2,))
        builder.add_scatter("scatter", ["x0", "x1", "x2"], "y", axis=0, mode=mode)
        result = run(
            builder,
            np.array([1, 2, 3, 4], np.float32),
            np.array([0, -1], np.float32),
            np.array([9, 8], np.float32),
        )
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_lstm_agrees_with_pytorch(run):
    lstm = torch.nn.LSTM(3, 4)
    w_x, w_h = lstm.weight_ih_l0.detach().numpy(), lstm.weight_hh_l0.detach().numpy()
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().numpy()

    def gates(weight):  # PyTorch: i, f, z, o; the builder: i, f, o, z
        i, f, z, o = np.split(weight, 4)
        return [i, f, o, z]

    builder = builder_of((5, 2, 3, 1, 1))
    builder.add_unilstm(
        "lstm", gates(w_h), gates(w_x), gates(bias), 4, 3, ["x0"], ["y"], output_all=True
    )
    x = values(5, 2, 3)
    expected = lstm(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(run(builder, x[..., None, None])[..., 0, 0], expected, atol=1e-6)


def test_one_hot_top_k_and_where(run):
    builder = builder_of((5,), outputs=("values", "indices"))
    builder.add_topk("top", ["x0"], ["values", "indices"], k=2, axis=0)
    result = run(builder, np.array([3, 1, 4, 1, 5], np.float32))
    assert result["values"].tolist() == [5, 4]
    assert result["indices"].tolist() == [4, 2]


def test_a_scalar_result_has_one_dimension(run):
    builder = builder_of((2, 3))
    builder.add_reduce_sum("sum", "x0", "y", axes=None, keepdims=False, reduce_all=True)
    assert run(builder, np.ones((2, 3), np.float32)).tolist() == [6.0]


def test_classic_layers_take_sequences_in_front(tmp_path):
    builder = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", datatypes.Array(2))])
    weight, bias = values(2, 3), values(2)
    builder.add_inner_product("ip", weight, bias, 3, 2, True, "x", "y")
    path = tmp_path / "classic.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    x = values(3)
    result = coreml.load(path).predict({"x": x})["y"]
    np.testing.assert_allclose(result, weight @ x + bias, atol=1e-6)


def test_layers_that_are_not_executed_are_named_in_nested_networks_too(tmp_path):
    builder = builder_of((2, 3))
    branch = builder.add_branch("choice", "x0").branch
    inner = NeuralNetworkBuilder(nn_spec=branch.ifBranch, disable_rank5_shape_mapping=True)
    inner.add_random_normal_static("noise", "y", [2, 3])
    path = tmp_path / "network.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    message = "does not execute: randomNormalStatic .layer 'noise'"
    with pytest.raises(coreml.UnsupportedOperation, match=message):
        coreml.load(path)


def test_a_wrong_number_of_weights_is_refused(tmp_path):
    builder = builder_of((2, 3))
    builder.add_inner_product("ip", values(2, 3), None, 3, 2, False, "x0", "y")
    del builder.spec.neuralNetwork.layers[0].innerProduct.weights.floatValue[-1]
    path = tmp_path / "network.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    with pytest.raises(InputError, match=r"layer 'ip' \(innerProduct\): It has 5 values"):
        coreml.load(path)


@pytest.mark.parametrize("shape", [[2**20, 2**20], [2**31, 1]])
def test_a_fill_without_bound_is_refused(run, shape):
    builder = builder_of((1,))
    builder.add_fill_static("fill", "y", shape, 1.0)
    with pytest.raises(InputError, match="more than"):
        run(builder, np.ones(1, np.float32))
