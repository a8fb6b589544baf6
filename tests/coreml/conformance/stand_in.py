"""Put the reference runtime where coremltools expects Core ML.

coremltools reaches Core ML through one class written in Objective-C++, `_MLModelProxy`, which does
not exist off macOS. `install` puts `ModelProxy` in its place and makes coremltools believe that it
is on a recent macOS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import coremltools
import numpy as np
import torch
from coremltools import _deps
from coremltools.converters.mil import testing_utils
from coremltools.converters.mil.mil import Program
from coremltools.models import _compiled_model, model, utils

from models.errors import InputError
from validate.coreml import Arithmetic, Model, StateBuffer, load

_MACOS = (26, 0)
"""A version that has every operation set up to iOS 18, and beyond the bugs that tests name."""


@dataclass(slots=True)
class Terms:
    """Hold how a case is run.

    Attributes:
        arithmetic: that of its models.
        tolerance: relative and absolute error that is tolerated where coremltools' own tolerance
            is not met; None for none.
        relaxed: whether that was needed.
    """

    arithmetic: Arithmetic = "as_stored"
    tolerance: float | None = None
    relaxed: bool = False


_terms = Terms()


def agree(terms: Terms) -> None:
    """Set the terms of the case that runs next."""
    global _terms  # noqa: PLW0603 (coremltools makes the proxies, and passes nothing on)
    _terms = terms


def terms() -> Terms:
    """Return the terms of the case that runs."""
    return _terms


_KINDS = {"mlprogram": "ML Program", "neuralnetwork": "a neural network model"}


class StateProxy:
    """Hold the states of one model, as `coremltools.models.model.MLState` reads and writes them."""

    def __init__(self, buffers: dict[str, StateBuffer]) -> None:
        self.buffers = buffers

    def read_state(self, name: str) -> np.ndarray:
        """Return a copy of a state's value."""
        array: np.ndarray = self.buffers[name].value.numpy().copy()
        return array

    def write_state(self, name: str, value: np.ndarray) -> None:
        """Replace a state's value."""
        buffer = self.buffers[name]
        buffer.value = torch.from_numpy(np.array(value)).to(buffer.value.dtype)


class ModelProxy:
    """Run one loaded model, by the methods of coremltools' proxy; errors are RuntimeErrors."""

    def __init__(
        self,
        path: str,
        compute_unit: str,
        function: str,
        hints: Mapping[str, str],
        asset: None,
    ) -> None:
        try:
            self._model: Model = load(path, function=function or None, arithmetic=_terms.arithmetic)
        except InputError as error:
            raise RuntimeError(str(error)) from error

    @staticmethod
    def maximum_supported_specification_version() -> int:
        """Return the newest specification that can be run."""
        return int(max(coremltools.target))

    def predict(self, data: dict[str, Any], state: StateProxy | None = None) -> dict[str, Any]:
        """Compute the outputs."""
        try:
            result: dict[str, Any] = self._model.predict(data, state.buffers if state else None)
        except InputError as error:
            kind = _KINDS[self._model.backend]
            # Tests look for Core ML's words.
            message = f"Unable to compute the prediction using {kind}: {error}"
            raise RuntimeError(message) from error
        return result

    def batchPredict(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:  # noqa: N802
        """Compute the outputs for each of several inputs."""
        return [self.predict(each) for each in data]

    def newState(self) -> StateProxy:  # noqa: N802
        """Return new states, filled with zeros."""
        return StateProxy(self._model.make_state())


def _unchecked(*_: Any, **__: Any) -> None:
    """Stand in for coremltools' check of its own passes, which are not what is tested."""


def _compare(*arguments: Any, **options: Any) -> Any:
    """Compare as coremltools does; where that fails, at the tolerance that was agreed on."""
    try:
        return _compare_strictly(*arguments, **options)
    except AssertionError:
        if _terms.tolerance is None:
            raise
    bounds = {"atol": _terms.tolerance, "rtol": _terms.tolerance}
    result = _compare_strictly(*arguments, **{**options, **bounds})
    _terms.relaxed = True
    return result


_compare_strictly = testing_utils.compare_backend


def install_comparison() -> None:
    """Make coremltools compare at the tolerance agreed on, and not check its own passes."""
    testing_utils.compare_backend = _compare
    # It looks its program over after each of about a hundred passes: a third of the time.
    Program.validate = _unchecked


def install() -> None:
    """Make coremltools predict with the reference runtime, as if on a Mac."""
    model._MLModelProxy = ModelProxy
    for module in (model, utils, _compiled_model):
        module._macos_version = lambda: _MACOS
        module._is_macos = lambda: True
    _deps._IS_MACOS = True
    testing_utils._IS_MACOS = True
    install_comparison()
