"""Core ML beside the runtime, with a double in the place of Core ML."""

import numpy as np
import pytest
from conformance.native import NativeProxy, require_agreement
from conformance.stand_in import ModelProxy
from coremltools.converters.mil.mil import Builder as mb  # noqa: N813


class Shifted(ModelProxy):
    """Computes what the runtime does, plus a little."""

    shift = 0.0

    def predict(self, data, state=None):
        return {name: value + self.shift for name, value in super().predict(data, state).items()}

    def get_compiled_model_path(self):
        return "compiled"


@pytest.fixture
def proxy(save_program, monkeypatch):
    @mb.program(input_specs=[mb.TensorSpec(shape=(2, 3))])
    def program(x):
        return mb.relu(x=x, name="result")

    monkeypatch.setattr(NativeProxy, "core_ml", Shifted, raising=False)
    return NativeProxy(str(save_program(program)), "CPU_ONLY", "", {}, None)


def test_the_result_is_that_of_core_ml_where_both_agree(proxy, monkeypatch):
    monkeypatch.setattr(Shifted, "shift", 1e-3)
    result = proxy.predict({"x": np.ones((2, 3), np.float32)})
    np.testing.assert_allclose(result["result"], 1.001, rtol=1e-6)
    assert proxy.get_compiled_model_path() == "compiled"


def test_a_case_fails_where_they_differ(proxy, monkeypatch):
    monkeypatch.setattr(Shifted, "shift", 0.1)
    with pytest.raises(AssertionError, match="Core ML has another value of 'result'"):
        proxy.predict({"x": np.ones((2, 3), np.float32)})


def test_differing_names_are_said():
    with pytest.raises(AssertionError, match="The outputs are"):
        require_agreement({"a": np.ones(1)}, {"b": np.ones(1)})
