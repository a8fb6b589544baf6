"""Whole neural networks: images, quantized weights, control flow, networks from PyTorch."""

import warnings

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder, quantization_utils
from google.protobuf.message import Message
from PIL import Image

from models.errors import InputError
from validate import coreml


def saved(folder, spec, name="network.mlmodel"):
    path = folder / name
    path.write_bytes(spec.SerializeToString())
    return path


class Small(torch.nn.Module):
    """Convolutions with a skip connection, logits and the mask of the larger one."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.head = torch.nn.Conv2d(8, 2, 1)

    def forward(self, image):
        x = torch.relu(self.first(image))
        x = torch.relu(self.second(x) + x)
        x = torch.nn.functional.interpolate(x[..., ::2, ::2], scale_factor=2.0, mode="nearest")
        logits = self.head(x)
        return logits, logits.argmax(1)[0].int()


@pytest.fixture(scope="module")
def converted():
    torch.manual_seed(0)
    network = Small().eval()
    traced = torch.jit.trace(network, torch.rand(1, 3, 16, 24))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ct.convert(
            traced,
            convert_to="neuralnetwork",
            inputs=[ct.ImageType("image", (1, 3, 16, 24), scale=1 / 255)],
            outputs=[ct.TensorType("logits"), ct.TensorType("mask", dtype=np.int32)],
            skip_model_load=True,
        )
    return network, model.get_spec()


@pytest.fixture
def photo():
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_converted_network_agrees_with_pytorch(tmp_path, converted, photo):
    network, spec = converted
    result = coreml.load(saved(tmp_path, spec)).predict({"image": photo})
    x = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1)[None] / 255
    logits, mask = network(x)
    np.testing.assert_allclose(result["logits"], logits.detach().numpy(), atol=1e-5)
    np.testing.assert_array_equal(result["mask"], mask.numpy())


def test_fp16_weights_change_the_result_by_their_rounding_only(tmp_path, converted, photo):
    _, spec = converted
    full = coreml.load(saved(tmp_path, spec)).predict({"image": photo})["logits"]
    half = type(spec).FromString(spec.SerializeToString())
    quantization_utils._quantize_nn_spec(half.neuralNetwork, 16, "_linear_quantization")
    assert not half.neuralNetwork.layers[0].convolution.weights.floatValue
    result = coreml.load(saved(tmp_path, half)).predict({"image": photo})["logits"]
    np.testing.assert_allclose(result, full, atol=5e-3)
    assert np.abs(result - full).max() > 0


@pytest.mark.parametrize("bits", [1, 3, 6, 8])
@pytest.mark.parametrize("mode", ["linear_quantization", "lookup_table_quantization_linear"])
def test_quantized_weights_are_those_that_coremltools_dequantizes(
    tmp_path, converted, photo, bits, mode
):
    _, spec = converted
    quantized = type(spec).FromString(spec.SerializeToString())
    quantization_utils._quantize_nn_spec(quantized.neuralNetwork, bits, f"_{mode}")
    result = coreml.load(saved(tmp_path, quantized)).predict({"image": photo})["logits"]
    quantization_utils._dequantize_nn_spec(quantized.neuralNetwork)
    dense = coreml.load(saved(tmp_path, quantized)).predict({"image": photo})["logits"]
    np.testing.assert_allclose(result, dense, atol=1e-5)


def test_a_loaded_model_does_not_keep_the_file_in_memory(tmp_path, converted):
    model = coreml.load(saved(tmp_path, converted[1]))
    pending, seen = [model], set()
    while pending:
        each = pending.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        assert not isinstance(each, Message)
        pending += getattr(each, "__dict__", {}).values()
        pending += [getattr(each, name) for name in getattr(each, "__slots__", ())]
        pending += list(each) if isinstance(each, tuple | list) else []
        pending += each.values() if isinstance(each, dict) else []
        pending += [cell.cell_contents for cell in getattr(each, "__closure__", None) or ()]
    assert len(seen) > 50


@pytest.mark.parametrize(("bgr", "expected"), [(False, [21, 42, 63]), (True, [63, 42, 21])])
def test_preprocessing_scales_and_adds_a_bias_for_each_colour(tmp_path, bgr, expected):
    builder = NeuralNetworkBuilder(
        [("image", datatypes.Array(1, 3, 2, 2))], [("y", None)], disable_rank5_shape_mapping=True
    )
    builder.add_activation("linear", "LINEAR", "image", "y", [1.0, 0.0])
    builder.set_pre_processing_parameters(
        ["image"], is_bgr=bgr, red_bias=1, green_bias=2, blue_bias=3, image_scale=2.0,
        image_format="NCHW",
    )  # fmt: skip
    image = Image.new("RGB", (2, 2), (10, 20, 30))
    result = coreml.load(saved(tmp_path, builder.spec)).predict({"image": image})["y"]
    assert result.shape == (1, 3, 2, 2)
    assert result[0, :, 0, 0].tolist() == expected


def loop_network(limit):
    """x doubles until it exceeds 100, or `limit` times."""
    builder = NeuralNetworkBuilder(
        [("start", datatypes.Array(1))], [("x", None)], disable_rank5_shape_mapping=True
    )
    builder.add_copy("init", "start", "x")
    loop = builder.add_loop("loop", max_iterations=limit).loop
    body = NeuralNetworkBuilder(nn_spec=loop.bodyNetwork, disable_rank5_shape_mapping=True)
    body.add_elementwise("double", ["x"], "twice", "MULTIPLY", alpha=2.0)
    body.add_copy("keep", "twice", "x")
    body.add_greater_than("test", ["x"], "large", alpha=100.0)
    branch = body.add_branch("stop", "large").branch
    inner = NeuralNetworkBuilder(nn_spec=branch.ifBranch, disable_rank5_shape_mapping=True)
    inner.add_loop_break("break")
    body.add_elementwise("more", ["x"], "increased", "ADD", alpha=1.0)
    body.add_copy("keep_more", "increased", "x")
    return builder.spec


@pytest.mark.parametrize(("limit", "expected"), [(2, 7.0), (50, 126.0)])
def test_loop_ends_at_its_break_or_its_limit(tmp_path, limit, expected):
    model = coreml.load(saved(tmp_path, loop_network(limit)))
    assert model.predict({"start": np.array([1.0], np.float32)})["x"].tolist() == [expected]


def test_loop_without_end_is_stopped(tmp_path):
    spec = loop_network(2**40)
    del spec.neuralNetwork.layers[-1].loop.bodyNetwork.layers[2:]
    spec.neuralNetwork.layers[-1].loop.bodyNetwork.layers[0].multiply.alpha = 1.0
    with pytest.raises(InputError, match="do not end"):
        coreml.load(saved(tmp_path, spec)).predict({"start": np.array([1.0], np.float32)})


def test_classifier_gives_the_label_and_all_probabilities(tmp_path):
    builder = NeuralNetworkBuilder(
        [("x", datatypes.Array(3))], [("p", None)], "classifier", disable_rank5_shape_mapping=True
    )
    builder.add_softmax_nd("softmax", "x", "p", axis=0)
    builder.set_class_labels(["a", "b", "c"], prediction_blob="p")
    result = coreml.load(saved(tmp_path, builder.spec)).predict({"x": np.array([0.0, 3.0, 1.0])})
    assert result["classLabel"] == "b"
    assert sum(result["p"].values()) == pytest.approx(1.0)


def test_an_undefined_value_is_refused(tmp_path, converted):
    spec = type(converted[1]).FromString(converted[1].SerializeToString())
    spec.neuralNetwork.layers[0].input[0] = "nowhere"
    with pytest.raises(InputError, match="uses 'nowhere', which no layer before"):
        coreml.load(saved(tmp_path, spec))
