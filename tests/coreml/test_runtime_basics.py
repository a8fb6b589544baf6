"""The path from a saved package to a result, on small programs built with coremltools."""

import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813

from models.errors import InputError
from validate import coreml


def test_conv_relu_add_agrees_with_pytorch(save_program, tmp_path):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((5, 3, 3, 3)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 16, 12))])
    def program(x):
        y = mb.conv(x=x, weight=weight, bias=bias, pad_type="same", strides=[2, 2])
        return mb.add(x=mb.relu(x=y), y=1.5, name="result")

    path = save_program(program)
    x = rng.standard_normal((1, 3, 16, 12)).astype(np.float32)
    padded = torch.nn.functional.pad(torch.from_numpy(x), (0, 1, 0, 1))
    expected = (
        torch.conv2d(padded, torch.from_numpy(weight), torch.from_numpy(bias), 2).relu() + 1.5
    )
    result = coreml.load(path).predict({"x": x})
    assert list(result) == ["result"]
    np.testing.assert_allclose(result["result"], expected.numpy(), atol=1e-5)


def test_watch_sees_every_value_with_its_declared_type(save_program):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2, 3))])
    def program(x):
        return mb.sigmoid(x=mb.relu(x=x, name="inner"), name="result")

    seen = []
    model = coreml.load(save_program(program))
    model.run(
        {"x": np.ones((2, 3), np.float32)},
        watch=lambda v: seen.append((v.name, v.op_type, v.dtype, float(v.value.max()))),
    )
    assert [each[:3] for each in seen] == [
        ("inner", "relu", "fp32"),
        ("result", "sigmoid", "fp32"),
    ]
    assert seen[0][3] == 1.0


def test_unknown_operation_is_named_before_anything_runs(save_program, edit_model):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2, 3))])
    def program(x):
        return mb.relu(x=x, name="result")

    path = save_program(program)

    def rename(model):
        block = model.mlProgram.functions["main"].block_specializations["CoreML5"]
        block.operations[-1].type = "warp_drive"

    edit_model(path, rename)
    message = (
        r"iOS15\) has operations that Core ML does not have: warp_drive \(operation 'result'\)"
    )
    with pytest.raises(InputError, match=message):
        coreml.load(path)
