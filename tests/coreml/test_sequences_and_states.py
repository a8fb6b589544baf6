"""Recurrent layers against PyTorch, loops, lists and states on small programs."""

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813
from coremltools.converters.mil.mil import types

from models.errors import InputError
from validate import coreml
from validate.coreml import limits


def gate_order(weight, order):
    """Reorder PyTorch's gates: numbers name the parts of a weight along its first axis."""
    parts = np.split(weight.detach().numpy(), max(order) + 1)
    return np.concatenate([parts[number] for number in order])


@pytest.mark.parametrize("whole", [True, False])
def test_gru_with_reset_after_agrees_with_pytorch(save_program, whole):
    torch.manual_seed(0)
    reference = torch.nn.GRU(3, 4)
    weights = dict(reference.named_parameters())
    order = (0, 2, 1)  # PyTorch has reset, update, new; MIL has reset, new, update

    @mb.program(
        input_specs=[mb.TensorSpec(shape=(5, 2, 3)), mb.TensorSpec(shape=(2, 4))],
        opset_version=ct.target.iOS18,
    )
    def program(x, h):
        return mb.gru(
            x=x,
            initial_h=h,
            weight_ih=gate_order(weights["weight_ih_l0"], order),
            weight_hh=gate_order(weights["weight_hh_l0"], order),
            input_bias=gate_order(weights["bias_ih_l0"], order),
            bias=gate_order(weights["bias_hh_l0"], order),
            reset_after=True,
            output_sequence=whole,
            name="gru",
        )

    x, h = torch.randn(5, 2, 3), torch.randn(1, 2, 4)
    model = coreml.load(save_program(program, target=ct.target.iOS18))
    sequence, last = model.predict({"x": x.numpy(), "h": h[0].numpy()}).values()
    expected, expected_last = (each.detach().numpy() for each in reference(x, h))
    np.testing.assert_allclose(sequence, expected if whole else expected[-1:], atol=1e-5)
    np.testing.assert_allclose(last, expected_last[0], atol=1e-5)


def test_a_reversed_sequence_comes_out_in_the_order_of_reading(save_program):
    identity = np.eye(2, dtype=np.float32)

    @mb.program(input_specs=[mb.TensorSpec(shape=(3, 1, 2))])
    def program(x):
        return mb.rnn(
            x=x,
            initial_h=np.zeros((1, 2), np.float32),
            weight_ih=identity,
            weight_hh=0 * identity,
            direction="reverse",
            activation="linear",
            output_sequence=True,
            name="rnn",
        )[0]

    x = np.arange(6, dtype=np.float32).reshape(3, 1, 2)
    (result,) = coreml.load(save_program(program)).predict({"x": x}).values()
    np.testing.assert_array_equal(result, x[::-1])


def counting_loop(end):
    @mb.program(input_specs=[mb.TensorSpec(shape=(1,))])
    def program(x):
        return mb.while_loop(
            _cond=lambda value: mb.less(x=value, y=np.float32(end)),
            _body=lambda value: mb.add(x=value, y=np.float32(1)),
            loop_vars=(x,),
            name="result",
        )

    return program


def test_a_loop_runs_until_its_condition_is_false(save_program):
    (result,) = coreml.load(save_program(counting_loop(7))).predict({"x": np.zeros(1)}).values()
    np.testing.assert_array_equal(result, [7])


def test_a_loop_without_end_is_refused(save_program, monkeypatch):
    monkeypatch.setattr("validate.coreml.execution.usage.MAX_ITERATIONS", 50)
    model = coreml.load(save_program(counting_loop(np.inf)))
    with pytest.raises(InputError, match="loops do not end within 50 iterations"):
        model.predict({"x": np.zeros(1)})


def list_program(index):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2,))])
    def program(x):
        tensors = mb.make_list(init_length=2, elem_shape=(2,))
        tensors = mb.list_write(ls=tensors, index=index, value=x)
        return mb.list_gather(ls=tensors, indices=[1, 3], name="result")

    return program


def test_a_list_grows_and_is_zero_where_nothing_was_written(save_program):
    model = coreml.load(save_program(list_program(3)))
    np.testing.assert_array_equal(model.predict({"x": [1, 2]})["result"], [[0, 0], [1, 2]])


def test_reading_beyond_the_end_of_a_list_is_refused(save_program):
    model = coreml.load(save_program(list_program(0)))
    with pytest.raises(InputError, match="reads element 3 of a list of 2"):
        model.predict({"x": [1, 2]})


def test_a_list_cannot_grow_without_bound(save_program):
    model = coreml.load(save_program(list_program(limits.MAX_ITERATIONS + 1)))
    with pytest.raises(InputError, match="Its list would have"):
        model.predict({"x": [1, 2]})


def test_a_state_is_kept_from_one_prediction_to_the_next(save_program):
    @mb.program(
        input_specs=[mb.TensorSpec((2,), types.fp16), mb.StateTensorSpec((2,), types.fp16)],
        opset_version=ct.target.iOS18,
    )
    def program(x, total):
        added = mb.add(x=mb.read_state(input=total), y=x)
        return mb.coreml_update_state(state=total, value=added, name="result")

    model = coreml.load(save_program(program, "float16", ct.target.iOS18))
    state, other = model.make_state(), model.make_state()
    values = np.array([1, 2], np.float16)
    model.predict({"x": values}, state)
    np.testing.assert_array_equal(model.predict({"x": values}, state)["result"], [2, 4])
    np.testing.assert_array_equal(model.predict({"x": values}, other)["result"], [1, 2])
    with pytest.raises(InputError, match="state 'total' is missing"):
        model.predict({"x": values})
