"""What float32 and as_stored compute, what watching shows, and what is let go in between."""

import weakref

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from coremltools.converters.mil.mil import types

from models.errors import InputError
from validate import coreml


def half(values):
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float32)


@pytest.fixture
def residual(save_program):
    """conv, relu, conv, add, relu, all FP16."""
    rng = np.random.default_rng(3)
    weights = [(rng.standard_normal((8, 8, 3, 3)) * 0.2).astype(np.float16) for _ in range(2)]
    spec = mb.TensorSpec(shape=(1, 8, 12, 12), dtype=types.fp16)

    @mb.program(input_specs=[spec], opset_version=ct.target.iOS16)
    def program(x):
        y = mb.relu(x=mb.conv(x=x, weight=weights[0], pad_type="same", name="first"))
        z = mb.conv(x=y, weight=weights[1], pad_type="same", name="second")
        return mb.relu(x=mb.add(x=z, y=x, name="sum"), name="result")

    x = half(rng.standard_normal((1, 8, 12, 12)))
    return save_program(program, target=ct.target.iOS16), x, weights


def by_hand(x, weights, rounds):
    def keep(values):
        return torch.from_numpy(half(values.numpy())) if rounds else values

    first, second = (torch.from_numpy(each.astype(np.float32)) for each in weights)
    x = torch.from_numpy(x)
    y = keep(torch.conv2d(x, first, padding=1)).relu()
    z = keep(torch.conv2d(y, second, padding=1))
    return keep(z + x).relu().numpy()


@pytest.mark.parametrize("arithmetic", ["float32", "as_stored"])
def test_arithmetics_are_those_computed_by_hand(residual, arithmetic):
    path, x, weights = residual
    result = coreml.load(path, arithmetic=arithmetic).predict({"x": x})["result"]
    expected = by_hand(x, weights, rounds=arithmetic == "as_stored")
    other = by_hand(x, weights, rounds=arithmetic != "as_stored")
    if arithmetic == "as_stored":
        # Sums in another order may round the other way: by one step of FP16, rarely.
        assert np.mean(result == expected) > 0.99
        np.testing.assert_array_equal(result, half(result))
    np.testing.assert_allclose(result, expected, atol=4e-3 if arithmetic == "as_stored" else 1e-5)
    assert np.abs(result - other).max() > 1e-4


@pytest.mark.parametrize("arithmetic", ["float32", "as_stored"])
def test_watching_changes_no_value(residual, arithmetic):
    path, x, _ = residual
    model = coreml.load(path, arithmetic=arithmetic)
    seen = {}
    watched = model.run(
        {"x": x}, watch=lambda value: seen.update({value.name: value.value.numpy().copy()})
    )
    assert {"first", "second", "sum", "result"} <= set(seen)
    np.testing.assert_allclose(watched["result"], model.predict({"x": x})["result"], atol=4e-3)
    np.testing.assert_array_equal(np.maximum(seen["sum"], 0), watched["result"])


def test_fp16_overflows_to_infinity(save_program):

    spec = mb.TensorSpec(shape=(3,), dtype=types.fp16)

    @mb.program(input_specs=[spec], opset_version=ct.target.iOS16)
    def program(x):
        return mb.mul(x=mb.mul(x=x, y=np.float16(256.0)), y=np.float16(1 / 256), name="result")

    path = save_program(program, target=ct.target.iOS16)
    x = np.array([1.0, 255.0, 300.0], np.float32)
    stored = coreml.load(path).predict({"x": x})["result"]
    np.testing.assert_array_equal(stored, [1.0, 255.0, np.inf])
    plain = coreml.load(path, arithmetic="float32").predict({"x": x})["result"]
    np.testing.assert_array_equal(plain, x)


def test_values_are_let_go_after_their_last_use(save_program):
    @mb.program(input_specs=[mb.TensorSpec(shape=(64,))])
    def program(x):
        y = mb.exp(x=x, name="a")
        y = mb.sin(x=y, name="b")
        y = mb.cos(x=y, name="c")
        return mb.exp(x=y, name="d")

    references = {}
    alive = {}

    def watch(value):
        alive[value.name] = {name for name, each in references.items() if each() is not None}
        references[value.name] = weakref.ref(value.value)

    coreml.load(save_program(program)).run({"x": np.zeros(64, np.float32)}, watch=watch)
    assert alive == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}}


def test_an_unknown_arithmetic_is_refused(residual):
    with pytest.raises(InputError, match="float32 or as_stored, not 'fp8'"):
        coreml.load(residual[0], arithmetic="fp8")


def test_rounding_leaves_constants_as_they_are(save_program):
    value = np.float32([0.1, 0.2, 0.3])

    @mb.program(input_specs=[mb.TensorSpec(shape=(3,))], opset_version=ct.target.iOS16)
    def program(x):
        constant = mb.const(val=value)
        rounded = mb.cast(x=mb.cast(x=constant, dtype="fp16"), dtype="fp32")
        return mb.sub(x=mb.add(x=x, y=constant), y=rounded, name="result")

    model = coreml.load(save_program(program, target=ct.target.iOS16))
    for _ in range(2):
        result = model.predict({"x": np.zeros(3, np.float32)})["result"]
        np.testing.assert_array_equal(result, value - half(value))
