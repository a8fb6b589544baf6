"""Operations against PyTorch and numpy, many in one program; coremltools' own tests go further.

Each case is a function that builds a value from `x` and one that computes it with numpy or PyTorch.
"""

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from torch.nn import functional

from validate import coreml

RNG = np.random.default_rng(1)
WEIGHT = RNG.standard_normal((6, 2, 3, 3)).astype(np.float32)
MATRIX = RNG.standard_normal((5, 7)).astype(np.float32)
VECTOR = RNG.standard_normal(4).astype(np.float32)
CHANNELS = torch.from_numpy(VECTOR)[:, None, None]

UNARY = {
    "abs": torch.abs,
    "atan": torch.atan,
    "ceil": torch.ceil,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "erf": torch.erf,
    "exp": torch.exp,
    "exp2": torch.exp2,
    "floor": torch.floor,
    "round": torch.round,
    "sign": torch.sign,
    "sin": torch.sin,
    "sinh": torch.sinh,
    "square": torch.square,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "gelu": functional.gelu,
}
ACTIVATIONS = {
    "leaky": (lambda x: mb.leaky_relu(x=x, alpha=0.1), lambda x: functional.leaky_relu(x, 0.1)),
    "elu": (lambda x: mb.elu(x=x, alpha=0.7), lambda x: functional.elu(x, 0.7)),
    "prelu": (lambda x: mb.prelu(x=x, alpha=VECTOR), lambda x: x.relu() - CHANNELS * (-x).relu()),
    "hard": (
        lambda x: mb.sigmoid_hard(x=x, alpha=0.2, beta=0.4),
        lambda x: (0.2 * x + 0.4).clamp(0, 1),
    ),
    "threshold": (
        lambda x: mb.thresholded_relu(x=x, alpha=0.5),
        lambda x: functional.threshold(x, 0.5, 0.0),
    ),
    "tanh": (
        lambda x: mb.gelu(x=x, mode="TANH_APPROXIMATION"),
        lambda x: functional.gelu(x, approximate="tanh"),
    ),
    "clip": (lambda x: mb.clip(x=x, alpha=-0.3, beta=0.8), lambda x: x.clamp(-0.3, 0.8)),
    "softmax": (lambda x: mb.softmax(x=x, axis=1), lambda x: x.softmax(1)),
    "inverse": (lambda x: mb.inverse(x=x, epsilon=4.0), lambda x: 1 / (x + 4)),
    "log": (lambda x: mb.log(x=mb.exp(x=x)), lambda x: x),
}
WINDOWS = {
    "conv": (
        lambda x: mb.conv(
            x=x, weight=WEIGHT, groups=2, strides=[2, 1], pad_type="custom", pad=[1, 1, 2, 2]
        ),
        lambda x: functional.conv2d(x, torch.from_numpy(WEIGHT), None, (2, 1), (1, 2), groups=2),
    ),
    "conv, odd padding": (
        lambda x: mb.conv(x=x, weight=WEIGHT, groups=2, strides=[2, 2], pad_type="same"),
        lambda x: functional.conv2d(
            functional.pad(x, (0, 1, 1, 1)), torch.from_numpy(WEIGHT), None, 2, groups=2
        ),
    ),
    "dilated": (
        lambda x: mb.conv(x=x, weight=WEIGHT, groups=2, dilations=[2, 2]),
        lambda x: functional.conv2d(x, torch.from_numpy(WEIGHT), dilation=2, groups=2),
    ),
    "transposed": (
        lambda x: mb.conv_transpose(
            x=x, weight=WEIGHT[:4], strides=[2, 2], pad_type="custom", pad=[1, 0, 0, 1], groups=2
        ),
        lambda x: functional.conv_transpose2d(x, torch.from_numpy(WEIGHT[:4]), None, 2, groups=2)[
            :, :, 1:, :-1
        ],
    ),
    "max_pool": (
        lambda x: mb.max_pool(
            x=x, kernel_sizes=[3, 3], strides=[2, 2], pad_type="custom", pad=[1] * 4
        ),
        lambda x: functional.max_pool2d(x, 3, 2, 1),
    ),
    "avg_pool": (
        lambda x: mb.avg_pool(
            x=x,
            kernel_sizes=[3, 2],
            pad_type="custom",
            pad=[1, 1, 1, 0],
            exclude_padding_from_average=True,
        ),
        lambda x: (
            functional.avg_pool2d(functional.pad(x, (1, 0, 1, 1)), (3, 2), 1)
            / functional.avg_pool2d(functional.pad(torch.ones(1, 1, 9, 8), (1, 0, 1, 1)), (3, 2), 1)
        ),
    ),
    "instance_norm": (
        lambda x: mb.instance_norm(x=x, gamma=VECTOR, beta=VECTOR),
        lambda x: functional.instance_norm(
            x, weight=torch.from_numpy(VECTOR), bias=torch.from_numpy(VECTOR)
        ),
    ),
    "layer_norm": (
        lambda x: mb.layer_norm(x=x, axes=[1], gamma=VECTOR),
        lambda x: functional.layer_norm(x.movedim(1, -1), (4,), torch.from_numpy(VECTOR)).movedim(
            -1, 1
        ),
    ),
    "unaligned": (
        lambda x: mb.resize_bilinear(
            x=x, target_size_height=13, target_size_width=5, sampling_mode="UNALIGN_CORNERS"
        ),
        lambda x: functional.interpolate(x, (13, 5), mode="bilinear"),
    ),
    "aligned": (
        lambda x: mb.upsample_bilinear(x=x, scale_factor_height=2.0, scale_factor_width=3.0),
        lambda x: functional.interpolate(x, (18, 24), mode="bilinear", align_corners=True),
    ),
    "nearest": (
        lambda x: mb.upsample_nearest_neighbor(
            x=x, scale_factor_height=2.0, scale_factor_width=2.0
        ),
        lambda x: functional.interpolate(x, scale_factor=2.0),
    ),
    "resample": (
        lambda x: mb.resample(
            x=x,
            coordinates=np.stack(np.meshgrid(*[np.linspace(-1.3, 1.3, 6)] * 2), -1)[None].astype(
                np.float32
            ),
            sampling_mode="bilinear",
            padding_mode="constant",
            padding_value=0.0,
            coordinates_mode="normalized_minus_one_to_one",
            align_corners=True,
        ),
        lambda x: functional.grid_sample(
            x,
            torch.stack(torch.meshgrid(*[torch.linspace(-1.3, 1.3, 6)] * 2, indexing="xy"), -1)[
                None
            ],
            align_corners=True,
        ),
    ),
}
SHAPES = {
    "slice": (
        lambda x: mb.slice_by_index(
            x=x,
            begin=[0, 3, -2, 0],
            end=[1, 0, -7, 4],
            stride=[1, -2, -3, 2],
            begin_mask=[True, False, False, False],
        ),
        lambda x: torch.from_numpy(x.numpy()[0:1, 3:0:-2, -2:-7:-3, 0:4:2].copy()),
    ),
    "squeezed": (
        lambda x: mb.slice_by_index(
            x=x,
            begin=[0, 1, -2, 0],
            end=[0, 0, 0, 0],
            squeeze_mask=[True, True, False, False],
            end_mask=[False, False, True, True],
        ),
        lambda x: x[0, 1, -2:],
    ),
    "by size": (
        lambda x: mb.slice_by_size(x=x, begin=[0, 1, 2, 3], size=[1, -1, 4, 2]),
        lambda x: x[:, 1:, 2:6, 3:5],
    ),
    "windows": (
        lambda x: mb.sliding_windows(x=x, axis=2, size=3, stride=2),
        lambda x: x.unfold(2, 3, 2).movedim(-1, 3),
    ),
    "reshape": (lambda x: mb.reshape(x=x, shape=[0, -1, 3, 0]), lambda x: x.reshape(1, -1, 3, 8)),
    "interleaved": (
        lambda x: mb.concat(values=[x, mb.relu(x=x)], axis=1, interleave=True),
        lambda x: torch.stack((x, x.relu()), 2).flatten(1, 2),
    ),
    "shuffle": (
        lambda x: mb.pixel_shuffle(x=x, upscale_factor=2),
        lambda x: functional.pixel_shuffle(x, 2),
    ),
    "depth and back": (
        lambda x: mb.space_to_depth(x=mb.depth_to_space(x=x, block_size=2), block_size=2),
        lambda x: x,
    ),
    "batch and back": (
        lambda x: mb.batch_to_space(
            x=mb.space_to_batch(x=x, block_shape=[2, 2], paddings=[[1, 0], [1, 1]]),
            block_shape=[2, 2],
            crops=[[1, 0], [1, 1]],
        ),
        lambda x: x,
    ),
    "reflected": (
        lambda x: mb.pad(x=x, pad=[0, 0, 0, 0, 2, 1, 3, 0], mode="reflect"),
        lambda x: functional.pad(x, (3, 0, 2, 1), mode="reflect"),
    ),
    "replicated": (
        lambda x: mb.pad(x=x, pad=[1, 2, 0, 2], mode="replicate"),
        lambda x: functional.pad(x, (0, 2, 1, 2), mode="replicate"),
    ),
    "tiled": (lambda x: mb.tile(x=x, reps=[1, 1, 2, 3]), lambda x: x.repeat(1, 1, 2, 3)),
    "cumulated": (
        lambda x: mb.cumsum(x=x, axis=2, exclusive=True, reverse=True),
        lambda x: x.flip(2).cumsum(2).flip(2) - x,
    ),
    "band": (lambda x: mb.band_part(x=x, lower=2, upper=1), lambda x: x.tril(1).triu(-2)),
    "smallest": (
        lambda x: mb.topk(x=x, k=3, axis=3, ascending=True)[0],
        lambda x: x.sort(3).values[..., :3],
    ),
    "sorted": (lambda x: mb.argsort(x=x, axis=1), lambda x: x.argsort(1, descending=True)),
    "positions": (lambda x: mb.non_zero(x=mb.relu(x=x)), lambda x: x.relu().nonzero()),
    "selected": (
        lambda x: mb.select(cond=mb.greater(x=x, y=0.0), a=x, b=np.float32(7)),
        lambda x: torch.where(x > 0, x, 7.0),
    ),
    "reversed": (
        lambda x: mb.reverse_sequence(x=x, lengths=[2, 4, 1, 9], seq_axis=2, batch_axis=1),
        lambda x: torch.cat(
            [
                torch.cat((x[:, i : i + 1, :n].flip(2), x[:, i : i + 1, n:]), 2)
                for i, n in enumerate((2, 4, 1, 9))
            ],
            1,
        ),
    ),
}
REDUCTIONS = {
    "sum": lambda x: x.sum((1, 3)),
    "mean": lambda x: x.mean((1, 3)),
    "max": lambda x: x.amax((1, 3)),
    "min": lambda x: x.amin((1, 3)),
    "prod": lambda x: x.prod(3).prod(1),
    "l1_norm": lambda x: x.abs().sum((1, 3)),
    "l2_norm": lambda x: x.square().sum((1, 3)).sqrt(),
    "sum_square": lambda x: x.square().sum((1, 3)),
    "log_sum_exp": lambda x: x.logsumexp((1, 3)),
}
FAMILIES = {
    "unary": {k: (lambda x, k=k: getattr(mb, k)(x=x), f) for k, f in UNARY.items()},
    "activations": ACTIVATIONS,
    "windows": WINDOWS,
    "shapes": SHAPES,
    "reductions": {
        k: (lambda x, k=k: getattr(mb, f"reduce_{k}")(x=x, axes=[1, -1]), f)
        for k, f in REDUCTIONS.items()
    },
}


@pytest.mark.parametrize("family", FAMILIES)
def test_operations_agree_with_pytorch(save_program, family):
    cases = FAMILIES[family]

    def build(x):
        return tuple(make(x) for make, _ in cases.values())

    program = mb.program(
        input_specs=[mb.TensorSpec(shape=(1, 4, 9, 8))], opset_version=ct.target.iOS15
    )(build)
    x = torch.from_numpy(RNG.standard_normal((1, 4, 9, 8)).astype(np.float32))
    results = coreml.load(save_program(program)).predict({"x": x})
    assert len(results) == len(cases)
    for (name, (_, compute)), result in zip(cases.items(), results.values(), strict=True):
        np.testing.assert_allclose(result, compute(x).numpy(), rtol=1e-4, atol=2e-5, err_msg=name)


def test_matrix_products(save_program):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2, 3, 7))])
    def program(x):
        y = mb.linear(x=x, weight=MATRIX, bias=MATRIX[:, 0])
        z = mb.matmul(x=y, y=y, transpose_x=True)
        return (
            y,
            z,
            mb.einsum(values=(x, mb.transpose(x=x, perm=[2, 1, 0])), equation="chw,whr->chr"),
        )

    x = RNG.standard_normal((2, 3, 7)).astype(np.float32)
    y, z, e = coreml.load(save_program(program)).predict({"x": x}).values()
    np.testing.assert_allclose(y, x @ MATRIX.T + MATRIX[:, 0], atol=1e-5)
    np.testing.assert_allclose(z, y.swapaxes(1, 2) @ y, atol=1e-4)
    np.testing.assert_allclose(e, np.einsum("chw,rhw->chr", x, x), atol=1e-4)
