"""Ranges of hand-made programs, and mixtures of two precisions beside what coremltools writes."""

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil import Builder as mb  # noqa: N813
from coremltools.converters.mil.mil import types
from PIL import Image

from validate import coreml
from validate.coreml.reader.program_constants import read_weights
from validate.metrics.float16_noise import significant_bits
from validate.precision.measure import measure_ranges
from validate.precision.mixed import mixture, rounded_operations
from validate.precision.search import smallest, smallest_pins
from validate.results.ranges import SMALLEST

SHAPE = (1, 3, 8, 8)
WHITE = np.full((8, 8, 3), 255, np.uint8)
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def scaled(first, second):
    """A program: image · first → relu → · second, as two convolutions of one weight each."""

    @mb.program(input_specs=[mb.TensorSpec(SHAPE, types.fp32)], opset_version=ct.target.iOS15)
    def program(image):
        eye = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
        up = mb.conv(x=image, weight=eye * np.float32(first), name="up")
        kept = mb.relu(x=up, name="kept")
        return mb.conv(x=kept, weight=eye * np.float32(second), name="down")

    return program


@pytest.fixture
def programs(save_program):
    """Save a program in a precision, for an image whose values are 0 to 255; its path."""

    def save(program, precision):
        return save_program(
            program,
            precision,
            pass_pipeline=ct.PassPipeline.DEFAULT,
            name=precision if isinstance(precision, str) else "pinned",
            inputs=[ct.ImageType(name="image", shape=SHAPE, color_layout=ct.colorlayout.RGB)],
        )

    return save


def both(programs, first, second):
    """The program in float16 and in float32; a conversion changes what it is given."""
    return [coreml.load(programs(scaled(first, second), each)) for each in ("float16", "float32")]


def measured(path, **options):
    """The row of each operation, on a white picture."""
    ranges = measure_ranges(coreml.load(path), [WHITE], read_weights(path), **options)
    return {each.name: each for each in ranges.operations}


def test_magnitudes_are_those_of_the_program(programs):
    rows = measured(programs(scaled(2.0, 0.25), "float32"), module_of=lambda name: f"net.{name}")
    assert list(rows) == ["up", "kept", "down"]
    assert [each.values.largest for each in rows.values()] == [510, 510, 127.5]
    assert rows["up"].weights.largest == rows["up"].weights.smallest == 2
    assert rows["kept"].weights is None
    assert rows["down"].title == "net.down (conv)"
    assert all(each.fault is None for each in rows.values())
    assert all(each.values.lost == each.values.subnormal == 0 for each in rows.values())


@pytest.mark.parametrize(
    ("first", "words"),
    [(300.0, "reach 76,000, beyond"), (200.0, "reach 51,000, close to"), (100.0, None)],
)
def test_an_overflow_is_named_before_it_happens(programs, first, words):
    rows = measured(programs(scaled(first, 1 / first), "float32"))
    if words is None:
        assert rows["up"].fault is rows["kept"].fault is None
    else:
        assert rows["up"].fault == rows["kept"].fault == f"its values {words} 65,504"
    assert rows["down"].fault is None


def test_a_lost_signal_is_measured(programs):
    """One and a half of the smallest float16 becomes two: a third of the value is wrong."""
    rows = measured(programs(scaled(1.5 * SMALLEST / 255, 1.0), "float32"))
    assert rows["up"].values.lost == pytest.approx(1 / 3, rel=1e-5)
    assert rows["up"].values.subnormal == 1
    assert rows["up"].weights.lost == 1  # they become zero
    assert "rounding changes them by 33" in rows["up"].fault


def test_a_large_bias_hides_no_weight_that_is_lost(programs):
    def program(bias):
        weight = np.full((3, 3, 1, 1), 1.5 * SMALLEST, np.float32)

        @mb.program(input_specs=[mb.TensorSpec(SHAPE, types.fp32)], opset_version=ct.target.iOS15)
        def made(image):
            return mb.conv(x=image, weight=weight, bias=np.full(3, bias, np.float32), name="up")

        return programs(made, "float32")

    weights = measured(program(1.0))["up"].weights
    assert weights.largest == np.float32(1.5 * SMALLEST)
    assert weights.lost == pytest.approx(1 / 3)
    assert measured(program(1e5))["up"].weights.largest == 1e5


def test_a_bias_of_next_to_nothing_is_no_fault(programs):
    @mb.program(input_specs=[mb.TensorSpec(SHAPE, types.fp32)], opset_version=ct.target.iOS15)
    def program(image):
        eye = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
        return mb.conv(x=image, weight=eye, bias=np.full(3, 1e-8, np.float32), name="up")

    row = measured(programs(program, "float32"))["up"]
    assert row.fault is None
    assert row.weights.smallest == np.float32(1e-8)


def test_zeros_lose_nothing(programs):
    rows = measured(programs(scaled(-1.0, 1.0), "float32"))
    assert rows["kept"].values.largest == rows["kept"].values.smallest == 0
    assert rows["kept"].fault is None


@pytest.mark.parametrize("pins", [(), ("up",), ("up", "kept"), ("kept", "down")])
def test_a_mixture_computes_what_coremltools_writes(programs, pins):
    factors = 0.123456, 7.654321
    selected = ct.transform.FP16ComputePrecision(op_selector=lambda op: op.name not in pins)
    written = coreml.load(programs(scaled(*factors), selected))
    half, full = both(programs, *factors)
    assert rounded_operations(half, full) == ("up", "kept", "down")
    data = {"image": Image.fromarray(PICTURE)}
    actual, expected = mixture(half, full, pins).run(data), written.run(data)
    np.testing.assert_array_equal(actual["down"], expected["down"])


def test_what_overflows_and_what_takes_it_stays_in_float32(programs):
    """Without a trial: on this picture 51,000 would still do."""
    half, full = both(programs, 200.0, 1 / 200)
    ranges = measure_ranges(full, [WHITE])
    assert smallest_pins(half, full, ranges, lambda _: True) == {"up", "kept", "down"}
    assert smallest_pins(half, full, ranges, lambda _: False) is None


def test_a_lost_signal_stays_in_float32_between_what_needs_it(programs):
    """The last operation alone would do in the trials; its input must not be lost on a phone."""
    half, full = both(programs, 1.5 * SMALLEST / 255, 1000.0)
    ranges = measure_ranges(full, [WHITE])
    assert smallest_pins(half, full, ranges, lambda kept: "down" in kept) == {"up", "kept", "down"}


def test_what_is_found_by_trial_is_minimal():
    tried = []

    def passes(some):
        tried.append(some)
        return {3, 40, 41} <= set(some)

    assert smallest(range(100), passes) == (3, 40, 41)
    assert len(tried) < 60
    assert smallest([5], lambda _: True) == ()


def test_noise_has_the_precision_of_float16_and_not_its_range():
    values = torch.tensor([1 / 3, 1 / 3e9, 1e9 / 3, -1e-30 / 3, 0.0])
    rounded = significant_bits(values)
    assert rounded[0] == values[0].half().float()
    assert ((rounded - values)[:4] / values[:4]).abs().max() < 2**-11
    assert rounded[4] == 0
    assert torch.isinf(values[2].half())
