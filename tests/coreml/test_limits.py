"""Operations that would take memory or time without bound are refused before they begin."""

import resource
import time

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813

from models.errors import InputError
from validate import coreml
from validate.coreml.execution import usage

HUGE = 2**20


def tile(x):
    return mb.tile(x=x, reps=[HUGE, HUGE])


def pad(x):
    return mb.pad(x=x, pad=[HUGE, HUGE, HUGE, HUGE])


def broadcast(x):
    tall = mb.tile(x=x, reps=[HUGE, 1])
    return mb.add(x=tall, y=mb.transpose(x=tall, perm=[1, 0]))


def matrix_product(x):
    tall = mb.tile(x=x, reps=[HUGE, 1])
    return mb.matmul(x=tall, y=tall, transpose_y=True)


def work(x):
    wide = mb.tile(x=x, reps=[2**14, 2**14])
    return mb.matmul(x=wide, y=wide)


def upsample(x):
    image = mb.expand_dims(x=x, axes=[0, 1])
    return mb.upsample_nearest_neighbor(
        x=image, scale_factor_height=float(HUGE), scale_factor_width=float(HUGE)
    )


def one_hot(x):
    wide = mb.tile(x=mb.cast(x=x, dtype="int32"), reps=[1, HUGE])
    return mb.one_hot(indices=wide, one_hot_vector_size=HUGE)


def convolution(x):
    image = mb.expand_dims(x=x, axes=[0, 1])
    pads = [HUGE] * 4
    return mb.conv(x=image, weight=np.ones((1, 1, 1, 1)), pad_type="custom", pad=pads)


def joined(x):
    wide = mb.tile(x=x, reps=[1, 2**24])
    return mb.concat(values=[wide] * 32, axis=0)


BOMBS = (tile, pad, broadcast, matrix_product, work, upsample, one_hot, convolution, joined)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_large_results_are_refused_before_they_exist(save_program, bomb):
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, 1))])(bomb)
    model = coreml.load(save_program(program))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(InputError, match="more than"):
        model.predict({"x": [[1.0]]})
    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1.2e6  # KiB


def test_loops_without_end_are_stopped(save_program, monkeypatch):
    monkeypatch.setattr(usage, "MAX_ITERATIONS", 1000)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1,))])
    def program(x):
        return mb.while_loop(
            _cond=lambda y: mb.less(x=mb.reduce_sum(x=y), y=1e9),
            _body=lambda y: mb.mul(x=y, y=1.0),
            loop_vars=(x,),
        )

    model = coreml.load(save_program(program))
    with pytest.raises(InputError, match="loops do not end within 1000 iterations"):
        model.predict({"x": [1.0]})
