"""Inputs and outputs follow coremltools' MLModel.predict: images, arrays, shapes, defaults."""

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from coremltools.converters.mil.mil import types
from PIL import Image

from models.errors import InputError
from validate import coreml


@pytest.fixture
def doubled(save_program):
    """Return a function that saves `2 x` with the given input type and options."""

    def save(shape=(1, 3, 4, 6), **options):
        @mb.program(input_specs=[mb.TensorSpec(shape=shape)])
        def program(x):
            return mb.mul(x=x, y=2.0, name="result")

        options.setdefault("pass_pipeline", ct.PassPipeline.DEFAULT)
        return coreml.load(save_program(program, **options))

    return save


PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize("layout", ["RGB", "BGR"])
def test_colour_images_have_their_layout_scale_and_bias(doubled, layout):
    image = ct.ImageType(
        name="x", shape=(1, 3, 4, 6), color_layout=layout, scale=1 / 127.5, bias=[-1, -0.5, 0.25]
    )
    result = doubled(inputs=[image]).predict({"x": Image.fromarray(PIXELS)})["result"]
    planes = PIXELS[..., :: 1 if layout == "RGB" else -1].transpose(2, 0, 1)
    bias = np.array([-1, -0.5, 0.25])[:, None, None]
    np.testing.assert_allclose(result[0], 2 * (planes / 127.5 + bias), atol=1e-5)


def test_grey_images(doubled):
    image = ct.ImageType(name="x", shape=(1, 1, 4, 6), color_layout=ct.colorlayout.GRAYSCALE)
    model = doubled(shape=(1, 1, 4, 6), inputs=[image])
    result = model.predict({"x": Image.fromarray(PIXELS[..., 0])})["result"]
    np.testing.assert_array_equal(result[0, 0], 2.0 * PIXELS[..., 0])


def test_image_outputs_are_rounded_and_clamped(save_program, edit_model):
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 4, 6))])
    def program(x):
        return mb.add(x=mb.mul(x=x, y=1.5), y=0.3, name="result")

    path = save_program(
        program,
        pass_pipeline=ct.PassPipeline.DEFAULT,
        inputs=[ct.ImageType(name="x", shape=(1, 3, 4, 6), color_layout=ct.colorlayout.RGB)],
    )

    def declare_image(model):
        image = model.description.output[0].type.imageType
        image.height, image.width, image.colorSpace = 4, 6, image.BGR

    edit_model(path, declare_image)
    result = coreml.load(path).predict({"x": Image.fromarray(PIXELS)})["result"]
    assert result.mode == "RGB"
    expected = np.clip(np.rint(PIXELS * 1.5 + 0.3), 0, 255)
    np.testing.assert_array_equal(np.asarray(result)[..., ::-1], expected)


def test_unusable_images_are_refused(doubled):
    model = doubled(inputs=[ct.ImageType(name="x", shape=(1, 3, 4, 6))])
    with pytest.raises(InputError, match="must be a PIL image, not a ndarray"):
        model.predict({"x": PIXELS})
    with pytest.raises(InputError, match="is 4x6, but the model takes 6x4: resize it first"):
        model.predict({"x": Image.fromarray(PIXELS).rotate(90, expand=True)})
    with pytest.raises(InputError, match="has the mode L; it must be RGB"):
        model.predict({"x": Image.fromarray(PIXELS[..., 0])})


def test_arrays_of_other_types_are_converted(doubled):
    model = doubled(shape=(2, 3))
    for value in (
        np.ones((2, 3), np.float64),
        [[1, 1, 1]] * 2,
        torch.ones(2, 3),
        np.ones((2, 3), bool),
    ):
        result = model.predict({"x": value})["result"]
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, np.full((2, 3), 2.0))


def test_unusable_arrays_are_refused(doubled):
    model = doubled(shape=(2, 3))
    with pytest.raises(InputError, match=r"has the shape \[3, 2\], but the model takes \[2, 3\]"):
        model.predict({"x": np.ones((3, 2))})
    with pytest.raises(InputError, match="no input 'y'"):
        model.predict({"y": np.ones((2, 3))})
    with pytest.raises(InputError, match="The input 'x' is missing"):
        model.predict({})
    with pytest.raises(InputError, match="must be numbers"):
        model.predict({"x": np.array([["a"] * 3] * 2)})


def test_a_list_gives_a_list(doubled):
    model = doubled(shape=(2,))
    results = model.predict([{"x": [1, 2]}, {"x": [3, 4]}])
    assert [each["result"].tolist() for each in results] == [[2, 4], [6, 8]]


class Flexible(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.max_pool2d(x, 2) * 2


def save_traced(module, example, path, **options):
    traced = torch.jit.trace(module.eval(), example)
    model = ct.convert(traced, convert_to="mlprogram", skip_model_load=True, **options)
    model.save(str(path))
    return coreml.load(path)


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize(
    ("sizes", "good", "bad", "message"),
    [
        (ct.RangeDim(4, 8), 6, 10, r"takes \[1, 3, 4 to 8, 4 to 8\]|1 to 1"),
        (None, 8, 6, r"takes \[1, 3, 4, 4\] or \[1, 3, 8, 8\]"),
    ],
)
def test_flexible_shapes(tmp_path, sizes, good, bad, message):
    shapes = [(1, 3, 4, 4), (1, 3, 8, 8)]
    shape = ct.Shape((1, 3, sizes, sizes)) if sizes else ct.EnumeratedShapes(shapes=shapes)
    model = save_traced(
        Flexible(),
        torch.zeros(1, 3, 4, 4),
        tmp_path / "flexible.mlpackage",
        inputs=[ct.TensorType("x", shape)],
        compute_precision=ct.precision.FLOAT32,
        minimum_deployment_target=ct.target.iOS15,
    )
    for size in (4, good):
        x = torch.rand(1, 3, size, size)
        (result,) = model.predict({"x": x.numpy()}).values()
        np.testing.assert_allclose(result, Flexible()(x).numpy())
    with pytest.raises(InputError, match=message):
        model.predict({"x": np.zeros((1, 3, bad, bad))})


def test_optional_inputs_take_their_default(save_program, edit_model):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2,)), mb.TensorSpec(shape=(2,))])
    def program(x, y):
        return mb.add(x=x, y=y, name="result")

    path = save_program(program)

    def make_optional(model):
        model.description.input[1].type.isOptional = True
        model.description.input[1].type.multiArrayType.floatDefaultValue = 7.0

    edit_model(path, make_optional)
    model = coreml.load(path)
    np.testing.assert_array_equal(model.predict({"x": [1, 2]})["result"], [8, 9])
    np.testing.assert_array_equal(model.predict({"x": [1, 2], "y": [1, 1]})["result"], [2, 3])


def test_fp16_outputs_are_widened_as_coremltools_does(save_program):
    spec = mb.TensorSpec(shape=(2,), dtype=types.fp16)

    @mb.program(input_specs=[spec], opset_version=ct.target.iOS16)
    def program(x):
        return mb.add(x=x, y=np.float16(1), name="result")

    result = coreml.load(save_program(program, target=ct.target.iOS16)).predict({"x": [0.1, 2]})
    assert result["result"].dtype == np.float32
    np.testing.assert_array_equal(result["result"], np.float16([0.1, 2]) + np.float16(1))


def test_classifier_gives_label_and_probabilities(save_program):
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3))])
    def program(x):
        return mb.softmax(x=x, name="probabilities")

    path = save_program(program, classifier_config=ct.ClassifierConfig(["cat", "dog", "car"]))
    result = coreml.load(path).predict({"x": [[0.0, 2.0, 1.0]]})
    assert result["classLabel"] == "dog"
    expected = torch.softmax(torch.tensor([0.0, 2.0, 1.0]), 0).tolist()
    probabilities = next(each for each in result.values() if isinstance(each, dict))
    assert probabilities == pytest.approx(dict(zip(("cat", "dog", "car"), expected, strict=True)))


def multiply_by(factor):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2,))], opset_version=ct.target.iOS18)
    def program(x):
        return mb.mul(x=x, y=np.float32(factor), name="result")

    return program


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_functions_of_a_package_are_chosen_by_name(save_program, tmp_path):
    paths = {}
    for name, factor in (("double", 2.0), ("triple", 3.0)):
        paths[name] = save_program(multiply_by(factor), target=ct.target.iOS18, name=name)
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name, path in paths.items():
        descriptor.add_function(str(path), "main", name)
    descriptor.default_function_name = "triple"
    path = tmp_path / "both.mlpackage"
    ct.utils.save_multifunction(descriptor, str(path))
    assert coreml.load(path).predict({"x": [1, 2]})["result"].tolist() == [3, 6]
    assert coreml.load(path, function="double").predict({"x": [1, 2]})["result"].tolist() == [2, 4]
    with pytest.raises(InputError, match="no function 'main', only double, triple"):
        coreml.load(path, function="main")
