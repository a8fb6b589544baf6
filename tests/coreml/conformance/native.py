"""Run Core ML itself beside the runtime, in the same cases, on a Mac.

A case then gets Core ML's result, and fails where the runtime's is another one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from coremltools.models import model

from conformance import stand_in

_TOLERANCE = 2.0**-8
"""Eight units in the last place of FP16, relative to the largest value of an output."""


class NativeState(stand_in.StateProxy):
    """Hold the runtime's states, and Core ML's."""

    def __init__(self, reference: stand_in.StateProxy, core_ml: Any) -> None:
        super().__init__(reference.buffers)
        self.core_ml = core_ml

    def read_state(self, name: str) -> np.ndarray:
        """Return a copy of Core ML's value of a state."""
        value: np.ndarray = self.core_ml.read_state(name)
        return value

    def write_state(self, name: str, value: np.ndarray) -> None:
        """Replace both values of a state."""
        super().write_state(name, value)
        self.core_ml.write_state(name, value)


class NativeProxy(stand_in.ModelProxy):
    """Run one model in both; `core_ml` is coremltools' own proxy class."""

    core_ml: Callable[..., Any]

    def __init__(self, path: str, *arguments: Any) -> None:
        super().__init__(path, *arguments)
        self._native = type(self).core_ml(path, *arguments)

    def __getattr__(self, name: str) -> Any:
        """Leave to Core ML what the runtime does not do: paths, durations."""
        if name == "_native":
            raise AttributeError(name)
        return getattr(self._native, name)

    def predict(
        self, data: dict[str, Any], state: stand_in.StateProxy | None = None
    ) -> dict[str, Any]:
        """Compute the outputs twice, compare, and return Core ML's.

        Raises:
            AssertionError: if they differ.
        """
        core_ml = state.core_ml if isinstance(state, NativeState) else None
        expected: dict[str, Any] = self._native.predict(data, core_ml)
        require_agreement(super().predict(data, state), expected)
        return expected

    def newState(self) -> NativeState:  # noqa: N802
        """Return new states in both."""
        return NativeState(super().newState(), self._native.newState())


def require_agreement(results: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare the arrays of two predictions.

    Raises:
        AssertionError: if an output is missing, or differs.
    """
    if set(results) != set(expected):
        raise AssertionError(f"The outputs are {sorted(results)}, Core ML's {sorted(expected)}.")
    for name, value in expected.items():
        if isinstance(value, np.ndarray):
            largest = float(np.nanmax(np.abs(value), initial=0.0))
            np.testing.assert_allclose(
                results[name],
                value,
                rtol=_TOLERANCE,
                atol=_TOLERANCE * largest if np.isfinite(largest) else 0.0,
                err_msg=f"Core ML has another value of {name!r}.",
            )


def install() -> None:
    """Make coremltools predict with both."""
    NativeProxy.core_ml = model._MLModelProxy
    model._MLModelProxy = NativeProxy
    stand_in.install_comparison()
