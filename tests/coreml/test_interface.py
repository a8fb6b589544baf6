"""What a Core ML file says of itself is held against its program or network when it is loaded."""

import shutil
import warnings

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder, flexible_shape_utils
from PIL import Image

from models.errors import InputError
from validate import coreml
from validate.coreml.reader.specification import FeatureTypes_pb2, MIL_pb2, Model_pb2

ARRAY, IMAGE = FeatureTypes_pb2.ArrayFeatureType, FeatureTypes_pb2.ImageFeatureType
SIZE = 8
MODEL = "Data/com.apple.CoreML/model.mlmodel"
PHOTO = Image.new("RGB", (SIZE, SIZE), (10, 20, 30))


class Segmenter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, image):
        logits = self.head(image)
        return logits, logits.argmax(1).squeeze(0).int()


def convert(path, kind, target, shape=(1, 3, SIZE, SIZE), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ct.convert(
            torch.jit.trace(Segmenter().eval(), torch.zeros(1, 3, SIZE, SIZE)),
            convert_to=kind,
            inputs=[ct.ImageType("image", shape, scale=1 / 255)],
            outputs=[ct.TensorType("logits"), ct.TensorType("mask", dtype=np.int32)],
            minimum_deployment_target=target,
            skip_model_load=True,
            **options,
        )
        model.save(str(path))
    return path


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    return {
        "mlprogram": convert(folder / "s.mlpackage", "mlprogram", ct.target.iOS15),
        "neuralnetwork": convert(folder / "s.mlmodel", "neuralnetwork", ct.target.iOS13),
    }


@pytest.fixture
def edited(originals, tmp_path):
    """Return a function that loads a copy of a file, changed."""

    def load(kind, change):
        path = tmp_path / originals[kind].name
        shutil.copytree(originals[kind], path) if path.suffix == ".mlpackage" else shutil.copy(
            originals[kind], path
        )
        file = path / MODEL if path.is_dir() else path
        model = Model_pb2.Model.FromString(file.read_bytes())
        change(model)
        file.write_bytes(model.SerializeToString())
        return coreml.load(path)

    return load


def feature(model, name):
    description = model.description
    return next(f for f in (*description.input, *description.output) if f.name == name)


def array(model, name="logits"):
    return feature(model, name).type.multiArrayType


def image(model):
    return feature(model, "image").type.imageType


def function(model):
    return model.mlProgram.functions["main"]


def block(model):
    (each,) = function(model).block_specializations.values()
    return each


def assign(get, **values):
    """Return an edit that sets fields; a list replaces a repeated field."""

    def edit(model):
        message = get(model)
        for key, value in values.items():
            if isinstance(value, list):
                message.ClearField(key)
                getattr(message, key).extend(value)
            else:
                setattr(message, key, value)

    return edit


def model_of(model):
    return model


def enumerate_sizes(model):
    for size in (SIZE, 2 * SIZE):
        image(model).enumeratedSizes.sizes.add(width=size, height=size)


def range_sizes(model):
    both = image(model).imageSizeRange
    for each in (both.widthRange, both.heightRange):
        each.lowerBound, each.upperBound = SIZE, 2 * SIZE


def default_outside(model):
    range_sizes(model)
    image(model).width = 4


def empty_range(model):
    range_sizes(model)
    image(model).imageSizeRange.widthRange.upperBound = 1


def flexible_output(model):
    for size in (1, 2, SIZE, SIZE):
        array(model).shapeRange.sizeRanges.add(lowerBound=size, upperBound=2 * size)


def drop(name):
    def edit(model):
        for features in (model.description.input, model.description.output):
            for each in [each for each in features if each.name == name]:
                features.remove(each)

    return edit


def add_input(model):
    model.description.input.add().CopyFrom(feature(model, "logits"))
    model.description.input[-1].name = "more"


def add_output(model):
    model.description.output.add().CopyFrom(feature(model, "logits"))
    model.description.output[-1].name = "more"


def twice(model):
    model.description.output.add().CopyFrom(feature(model, "logits"))


def optional(name):
    return lambda model: setattr(feature(model, name).type, "isOptional", True)


def two_functions(model):
    model.specificationVersion = 9
    description = model.description
    for name in ("main", "other"):
        added = description.functions.add(name=name)
        added.input.extend(description.input)
        added.output.extend(description.output)


def only_functions(model):
    two_functions(model)
    for name in ("input", "output"):
        model.description.ClearField(name)
    model.description.defaultFunctionName = "other"


def newer_opset(model):
    blocks = function(model).block_specializations
    blocks["CoreML7"].CopyFrom(blocks["CoreML5"])
    del blocks["CoreML5"]
    function(model).opset = "CoreML7"


def newer_operation(model):
    block(model).operations[-1].type = "resize"


def unknown_operation(model):
    block(model).operations[-1].type = "reluu"


def image_of_int(model):
    function(model).inputs[0].type.tensorType.dataType = MIL_pb2.INT32


def described_as_dictionary(model):
    feature(model, "logits").type.dictionaryType.stringKeyType.SetInParent()


BOTH = {
    "version 99": (assign(model_of, specificationVersion=99), "version is 99, but there are only"),
    "version 0": (assign(model_of, specificationVersion=0), "version is 0, but there are only"),
    "an output twice": (twice, "has 'logits' 2 times"),
    "an optional output": (optional("mask"), "'mask' is optional, but only inputs can be"),
    "only optional inputs": (optional("image"), "All its inputs are optional"),
    "an output that nothing computes": (add_output, "output 'more' is"),
    "no output": (lambda m: m.description.ClearField("output"), "has no output"),
    "no colour space": (assign(image, colorSpace=IMAGE.INVALID_COLOR_SPACE), "colour space 0"),
    "no data type": (assign(array, dataType=ARRAY.INVALID_ARRAY_DATA_TYPE), "data type 0"),
    "a default size outside": (default_outside, r"default shape \[8, 4\] of its 'image' is none"),
    "an empty range of sizes": (empty_range, "'image' may have no size: 8 to 1"),
    "an image without size": (
        assign(image, width=0),
        r"'image' is described with the shape \[8, 0",
    ),
    "an image of no size": (
        assign(image, width=0, height=0),
        r"'image' is described with the shape \[0, 0\]",
    ),
    "float16 image below iOS 16": (
        assign(image, colorSpace=IMAGE.GRAYSCALE_FLOAT16),
        r"the colour space GRAYSCALE_FLOAT16 of 'image' needs 7 \(iOS 16\) or newer",
    ),
    "float16 array below iOS 16": (
        assign(array, dataType=ARRAY.FLOAT16),
        r"the type FLOAT16 of 'logits' needs 7 \(iOS 16\) or newer",
    ),
    "a default function that is absent": (
        assign(lambda m: m.description, defaultFunctionName="other"),
        "both a model of one function and several|no function 'other'",
    ),
}
PROGRAM = BOTH | {
    "several functions and one": (two_functions, "both a model of one function and several"),
    "version 4": (
        assign(model_of, specificationVersion=4),
        r"version is 4 \(iOS 13\), but an ML program needs 6 \(iOS 15\)",
    ),
    "an opset of a newer version": (newer_opset, r"opset CoreML7 of 'main' needs 8 \(iOS 17\)"),
    "an operation of a newer opset": (newer_operation, "resize .* before iOS 17"),
    "an unknown operation": (unknown_operation, "that Core ML does not have: reluu"),
    "another type, in a version that has it": (
        lambda m: (
            assign(array, dataType=ARRAY.FLOAT16)(m),
            assign(model_of, specificationVersion=7)(m),
        ),
        r"'logits' is described as fp16\[1, 2, 8, 8\], but its program has fp32\[1, 2, 8, 8\]",
    ),
    "float labels": (
        assign(lambda m: array(m, "mask"), dataType=ARRAY.FLOAT32),
        r"'mask' is described as fp32\[8, 8\], but its program has int32",
    ),
    "a double": (assign(array, dataType=ARRAY.DOUBLE), "described as fp64"),
    "another shape": (
        assign(array, shape=[1, 2, 4, 4]),
        r"'logits' is described as fp32\[1, 2, 4, 4\], but its program has fp32\[1, 2, 8, 8\]",
    ),
    "another rank": (assign(array, shape=[2, 8, 8]), r"described as fp32\[2, 8, 8\]"),
    "another size of image": (
        assign(image, width=16),
        r"'image' is described as fp32\[1, 3, 8, 16",
    ),
    "a grey image": (assign(image, colorSpace=IMAGE.GRAYSCALE), r"described as fp32\[1, 1, 8, 8\]"),
    "enumerated sizes": (enumerate_sizes, r"'image' is described as fp32\[1, 3, \?, \?\]"),
    "a range of sizes": (range_sizes, r"'image' is described as fp32\[1, 3, \?, \?\], but its pro"),
    "a flexible output": (flexible_output, r"'logits' is described as fp32\[\?, \?, \?, \?\]"),
    "an image of integers": (image_of_int, r"as fp32\[1, 3, 8, 8\], but its program has int32"),
    "a dictionary": (described_as_dictionary, "'logits' is described as dictionaryType"),
    "an input too many": (add_input, "input 'more' is in its description but not in its program"),
    "an input too few": (drop("image"), "input 'image' is in its program but not in its descript"),
    "an output too few": (drop("mask"), "output 'mask' is in its program but not in its descript"),
    "a function that is absent": (only_functions, "has no function 'other', only"),
    "a program that can be updated": (
        assign(model_of, isUpdatable=True),
        "an ML program cannot be updated",
    ),
}
NETWORK = BOTH | {
    "version 1": (
        assign(model_of, specificationVersion=1),
        r"version is 1 \(iOS 11\), but .* needs 4 \(iOS 13\) or newer",
    ),
    "flexible below iOS 12": (
        lambda m: (range_sizes(m), assign(model_of, specificationVersion=2)(m)),
        r"the flexible shape of 'image' needs 3 \(iOS 12\)",
    ),
    "an input of no layer's kind": (
        lambda m: feature(m, "image").type.doubleType.SetInParent(),
        "'image' is neither an image nor an array",
    ),
    "several functions": (
        only_functions,
        "functions or states, which only ML programs have",
    ),
}


@pytest.mark.parametrize("name", PROGRAM)
def test_programs_that_core_ml_would_refuse_are_refused(edited, name):
    change, message = PROGRAM[name]
    with pytest.raises(InputError, match=message) as refusal:
        edited("mlprogram", change)
    assert not isinstance(refusal.value, coreml.UnsupportedOperation)


@pytest.mark.parametrize("name", NETWORK)
def test_networks_that_core_ml_would_refuse_are_refused(edited, name):
    change, message = NETWORK[name]
    with pytest.raises(InputError, match=message) as refusal:
        edited("neuralnetwork", change)
    assert not isinstance(refusal.value, coreml.UnsupportedOperation)


def test_a_network_with_another_output_shape_is_refused_when_it_runs(edited):
    model = edited("neuralnetwork", assign(array, shape=[1, 2, 4, 4]))
    with pytest.raises(InputError, match=r"'logits' has the shape \[1, 2, 8, 8\], but is describ"):
        model.predict({"image": PHOTO})


@pytest.mark.parametrize(
    ("layer", "version"),
    [
        (lambda b: b.add_resize_bilinear("l", "x", "y", 4, 4), 3),
        (lambda b: b.add_softmax_nd("l", "x", "y", 0), 4),
        (lambda b: b.add_clamped_relu("l", "x", "y"), 5),
        (lambda b: b.add_upsample("l", 2, 2, "x", "y", "BILINEAR", "ALIGN_CORNERS_TRUE"), 5),
    ],
)
def test_layers_need_the_version_that_brought_them(tmp_path, layer, version):
    builder = NeuralNetworkBuilder(
        [("x", datatypes.Array(1, 2, 2))], [("y", None)], disable_rank5_shape_mapping=version > 3
    )
    layer(builder)
    path = tmp_path / "layer.mlmodel"
    for given in (version, version - 1):
        builder.spec.specificationVersion = given
        path.write_bytes(builder.spec.SerializeToString())
        if given == version:
            coreml.load(path)
    what = "the mapping of its inputs" if version == 4 else r"the layer 'l' \(\w+\)"
    with pytest.raises(InputError, match=rf"{what}.* needs {version} \(iOS"):
        coreml.load(path)


def test_layers_of_ios_13_take_no_arrays_of_rank_5(tmp_path):
    builder = NeuralNetworkBuilder([("x", datatypes.Array(1, 2, 2))], [("y", None)])
    builder.add_softmax_nd("new", "x", "y", 0)
    builder.spec.specificationVersion = 4
    path = tmp_path / "classic.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    with pytest.raises(InputError, match="maps arrays to rank 5, but its layer 'new' is of iOS 13"):
        coreml.load(path)


def test_float16_and_quantized_weights_need_their_version(tmp_path):
    builder = NeuralNetworkBuilder([("x", datatypes.Array(2))], [("y", None)])
    builder.add_inner_product("l", np.ones((2, 2)), None, 2, 2, False, "x", "y")
    weights = builder.spec.neuralNetwork.layers[0].innerProduct.weights
    path = tmp_path / "weights.mlmodel"
    weights.ClearField("floatValue")
    weights.float16Value = np.ones(4, np.float16).tobytes()
    path.write_bytes(builder.spec.SerializeToString())
    with pytest.raises(InputError, match="a float16 weight needs 2"):
        coreml.load(path)
    weights.ClearField("float16Value")
    weights.rawValue = bytes(4)
    path.write_bytes(builder.spec.SerializeToString())
    with pytest.raises(InputError, match="a quantized weight needs 3"):
        coreml.load(path)


def test_custom_layers_are_broken_and_random_layers_not_executed(tmp_path):
    path = tmp_path / "layer.mlmodel"
    for kind, expected in (("custom", InputError), ("random", coreml.UnsupportedOperation)):
        builder = NeuralNetworkBuilder(
            [("x", datatypes.Array(2))], [("y", None)], disable_rank5_shape_mapping=True
        )
        if kind == "custom":
            layer = builder.spec.neuralNetwork.layers.add(name="own", input=["x"], output=["y"])
            layer.custom.className = "Mine"
        else:
            builder.add_random_normal_static("noise", "y", [2])
        path.write_bytes(builder.spec.SerializeToString())
        with pytest.raises(InputError) as refusal:
            coreml.load(path)
        assert type(refusal.value) is expected


def test_random_operations_and_pipelines_are_not_executed(save_program, originals, tmp_path):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2,))])
    def noise(x):
        return mb.add(x=x, y=mb.random_normal(shape=[2]), name="result")

    with pytest.raises(coreml.UnsupportedOperation, match="does not execute: random_normal"):
        coreml.load(save_program(noise))
    model = Model_pb2.Model.FromString(originals["neuralnetwork"].read_bytes())
    path = tmp_path / "other.mlmodel"
    for kind in ("pipeline", "treeEnsembleClassifier"):
        getattr(model, kind).SetInParent()
        path.write_bytes(model.SerializeToString())
        with pytest.raises(coreml.UnsupportedOperation, match=f"It is a {kind}"):
            coreml.load(path)
    model.ClearField("treeEnsembleClassifier")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="a model without a type"):
        coreml.load(path)


@pytest.mark.parametrize("target", ["iOS15", "iOS16", "iOS17", "iOS18", "iOS26"])
def test_programs_of_every_target_are_loaded(tmp_path, target):
    path = convert(tmp_path / "model.mlpackage", "mlprogram", getattr(ct.target, target))
    assert coreml.load(path).predict({"image": PHOTO})["logits"].shape == (1, 2, SIZE, SIZE)


@pytest.mark.parametrize("target", ["iOS13", "iOS14"])
def test_networks_of_every_target_are_loaded(tmp_path, target):
    path = convert(tmp_path / "model.mlmodel", "neuralnetwork", getattr(ct.target, target))
    assert coreml.load(path).predict({"image": PHOTO})["logits"].shape == (1, 2, SIZE, SIZE)


@pytest.mark.parametrize("kind", ["mlprogram", "neuralnetwork"])
@pytest.mark.parametrize("sizes", ["enumerated", "range"])
def test_flexible_images_over_flexible_programs_are_loaded(tmp_path, kind, sizes):
    shape = ct.Shape((1, 3, ct.RangeDim(SIZE, 2 * SIZE), ct.RangeDim(SIZE, 2 * SIZE)))
    if sizes == "enumerated":
        shape = ct.EnumeratedShapes([(1, 3, SIZE, SIZE), (1, 3, 2 * SIZE, 2 * SIZE)])
    suffix = ".mlpackage" if kind == "mlprogram" else ".mlmodel"
    target = ct.target.iOS15 if kind == "mlprogram" else ct.target.iOS13
    model = coreml.load(convert(tmp_path / f"model{suffix}", kind, target, shape))
    for size in (SIZE, 2 * SIZE):
        result = model.predict({"image": PHOTO.resize((size, size))})
        assert result["logits"].shape == (1, 2, size, size)


def test_a_network_made_flexible_afterwards_is_loaded(originals, tmp_path):
    spec = ct.utils.load_spec(str(originals["neuralnetwork"]))
    sizes = flexible_shape_utils.NeuralNetworkImageSizeRange((SIZE, 16), (SIZE, 16))
    flexible_shape_utils.update_image_size_range(spec, "image", sizes)
    path = tmp_path / "flexible.mlmodel"
    path.write_bytes(spec.SerializeToString())
    result = coreml.load(path).predict({"image": PHOTO.resize((16, 16))})
    assert result["logits"].shape == (1, 2, 16, 16)
