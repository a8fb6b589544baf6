"""Small packages that between them use every family of operations: what fuzzing starts from."""

import gc
import logging
import warnings
from pathlib import Path

import numpy as np
import torch

logging.getLogger("coremltools").setLevel(logging.ERROR)

import coremltools as ct  # noqa: E402 (its import logs a page of warnings off a Mac)
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402

_RNG = np.random.default_rng(0)


def _floats(*shape):
    return _RNG.standard_normal(shape).astype(np.float32)


def convolutional():
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 16, 16))])
    def program(x):
        y = mb.conv(x=x, weight=_floats(8, 3, 3, 3), bias=_floats(8), pad_type="same")
        y = mb.relu(x=mb.batch_norm(x=y, mean=_floats(8), variance=np.abs(_floats(8))))
        z = mb.max_pool(x=y, kernel_sizes=[2, 2], strides=[2, 2], pad_type="valid")
        z = mb.conv(x=z, weight=_floats(8, 1, 3, 3), groups=8, pad_type="custom", pad=[1, 1, 1, 1])
        z = mb.upsample_bilinear(x=z, scale_factor_height=2.0, scale_factor_width=2.0)
        z = mb.add(x=z, y=y)
        z = mb.conv_transpose(x=z, weight=_floats(8, 2, 2, 2), strides=[2, 2])
        z = mb.avg_pool(x=z, kernel_sizes=[3, 3], strides=[2, 2], pad_type="same")
        return mb.softmax(x=mb.pad(x=z, pad=[0, 0, 0, 0, 1, 1, 2, 2], mode="reflect"), axis=1)

    return program, ct.target.iOS15


def transformer():
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 6, 8))], opset_version=ct.target.iOS17)
    def program(x):
        y = mb.layer_norm(x=x, axes=[-1], gamma=_floats(8), beta=_floats(8))
        y = mb.linear(x=y, weight=_floats(24, 8), bias=_floats(24))
        q, k, v = mb.split(x=y, num_splits=3, axis=-1)
        w = mb.softmax(x=mb.matmul(x=q, y=k, transpose_y=True))
        y = mb.add(x=x, y=mb.matmul(x=w, y=v))
        y = mb.reshape(x=mb.transpose(x=y, perm=[0, 2, 1]), shape=[1, 8, 2, -1])
        y = mb.tile(x=mb.gelu(x=y), reps=[1, 1, 2, 2])
        y = mb.slice_by_index(x=y, begin=[0, 0, 1, 0], end=[1, 8, 4, 5], stride=[1, 2, 1, 1])
        top, indices = mb.topk(x=mb.reduce_mean(x=y, axes=[2]), k=2)
        hot = mb.one_hot(indices=indices, one_hot_vector_size=5, on_value=1.0, off_value=0.0)
        filled = mb.fill(shape=[1, 4, 2, 5], value=0.5)
        return mb.concat(values=[hot, filled, mb.expand_dims(x=top, axes=[3])], axis=-1)

    return program, ct.target.iOS17


def control_flow():
    @mb.program(input_specs=[mb.TensorSpec(shape=(4,)), mb.TensorSpec(shape=(1,))])
    def program(x, n):
        def condition(i, y):
            return mb.less(x=i, y=5.0)

        def body(i, y):
            return mb.add(x=i, y=1.0), mb.mul(x=y, y=x)

        _, looped = mb.while_loop(_cond=condition, _body=body, loop_vars=(mb.squeeze(x=n), x))
        chosen = mb.cond(
            pred=mb.greater(x=mb.squeeze(x=n), y=0.0),
            _true_fn=lambda: mb.relu(x=looped),
            _false_fn=lambda: mb.square(x=looped),
        )
        gathered = mb.gather(x=chosen, indices=[0, 2], axis=0)
        return mb.scatter(data=chosen, indices=[1, 3], updates=gathered)

    return program, ct.target.iOS15


def compressed():
    lut = _floats(1, 1, 1, 1, 4, 1).astype(np.float16)
    indices = _RNG.integers(0, 4, (8, 4, 2, 2)).astype(types.np_uint2_dtype)
    data = _RNG.integers(-8, 8, (8, 8)).astype(types.np_int4_dtype)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 4, 6, 6))], opset_version=ct.target.iOS18)
    def program(x):
        weight = mb.cast(x=mb.constexpr_lut_to_dense(indices=indices, lut=lut), dtype="fp32")
        y = mb.reduce_mean(x=mb.conv(x=x, weight=weight), axes=[2, 3])
        other = mb.constexpr_blockwise_shift_scale(data=data, scale=_floats(8, 2))
        return mb.matmul(x=y, y=other)

    return program, ct.target.iOS18


class _Network(torch.nn.Module):
    """Layers that a NeuralNetwork has of its own."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.ConvTranspose2d(8, 4, 2, 2)
        self.last = torch.nn.Linear(16, 5)

    def forward(self, x):
        y = torch.nn.functional.max_pool2d(self.norm(self.first(x)).relu(), 2)
        y = torch.nn.functional.interpolate(self.second(y), scale_factor=0.5)
        y = torch.cat((y, torch.nn.functional.avg_pool2d(y, 3, 1, 1).sigmoid()), 1)
        y = torch.nn.functional.pad(y, (1, 1, 0, 0)).transpose(1, 2)[:, :, :4, :4]
        return self.last(y.reshape(y.shape[0], -1, 16)).softmax(-1)


def save_neural_network(path: Path) -> Path:
    """Save a model for the NeuralNetwork backend, an image its input."""
    example = torch.zeros(1, 3, 16, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coremltools and torch warn while tracing
        model = ct.convert(
            torch.jit.trace(_Network().eval(), example),
            convert_to="neuralnetwork",
            inputs=[ct.ImageType(name="x", shape=(1, 3, 16, 16), scale=1 / 255)],
            minimum_deployment_target=ct.target.iOS14,
            skip_model_load=True,
        )
        model.save(str(path))
        del model
        gc.collect()
    return path


def save_seeds(folder: Path) -> list[Path]:
    """Save every seed in `folder`: packages, and a bare model for the NeuralNetwork backend."""
    paths = [save_neural_network(folder / "network.mlmodel")]
    for make in (convolutional, transformer, control_flow, compressed):
        program, target = make()
        path = folder / f"{make.__name__}.mlpackage"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # coremltools' temporary folders
            model = ct.convert(
                program,
                convert_to="mlprogram",
                minimum_deployment_target=target,
                skip_model_load=True,
                pass_pipeline=ct.PassPipeline.EMPTY,
            )
            model.save(str(path))
            del model
            gc.collect()
        paths.append(path)
    return paths
