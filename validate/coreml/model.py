"""Load a model: its interface, its arithmetic and the graph that computes it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.execution.executor import Executable
from validate.coreml.execution.fusion import fuse
from validate.coreml.execution.usage import Execution
from validate.coreml.feature_values import from_tensor, to_tensor
from validate.coreml.features import Interface, is_flexible
from validate.coreml.graph import Graph, StateBuffer, Watch
from validate.coreml.limits import require_size

Arithmetic = Literal["float32", "as_stored"]
State = dict[str, StateBuffer]
_LONGEST = 600
"""Longest message, in characters."""


class Model:
    """Run a Core ML model on any machine. Made by `validate.coreml.load`.

    Attributes:
        path: the file or package it was read from.
        function: the name of the function that runs.
        arithmetic: "float32" or "as_stored".
        backend: "mlprogram" or "neuralnetwork".
        interface: inputs, outputs and states as described.
        graph: the steps, one for each operation.
    """

    def __init__(
        self,
        path: Path,
        interface: Interface,
        graph: Graph,
        *,
        function: str = "main",
        arithmetic: Arithmetic,
        backend: str,
    ) -> None:
        self.path = path
        self.function = function
        self.arithmetic: Arithmetic = arithmetic
        self.backend = backend
        self.interface = interface
        self._inputs = graph.inputs
        self._features = {feature.name: feature for feature in interface.inputs}
        self._fixed = not any(is_flexible(feature) for feature in interface.inputs)
        self.graph = graph
        self._rounds = arithmetic == "as_stored"
        self._executable = Executable(fuse(graph, rounds=self._rounds), rounds=self._rounds)
        self._output_names = graph.outputs

    def predict(
        self, data: Mapping[str, Any] | list[Mapping[str, Any]], state: State | None = None
    ) -> Any:
        """Compute the outputs, as coremltools' `MLModel.predict` does.

        Args:
            data: for each input its array, PIL image or number; or a list of such dictionaries.
            state: buffers from `make_state`, for a model that has states; they are updated.

        Returns:
            Each output's numpy array (or PIL image, number, dictionary); a list of such
            dictionaries for a list.

        Raises:
            InputError: if an input does not fit the model, or the model cannot be computed.
        """
        if isinstance(data, list):
            return [self.run(each) for each in data]
        return self.run(data, state=state)

    def run(
        self,
        data: Mapping[str, Any],
        *,
        watch: Watch | None = None,
        state: State | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Compute the outputs, and show `watch` every intermediate value as it is computed.

        Raises:
            InputError: as for `predict`; and what `check` raises, which is called after each step.
        """
        try:
            inputs = self._prepare(data, state)
            with torch.inference_mode():
                values = self._executed(watch)(inputs, Execution(watch, check))
            results = dict(zip(self._output_names, values, strict=True))
            return {
                feature.name: from_tensor(feature, results[feature.name], fixed=self._fixed)
                for feature in self.interface.outputs
            }
        except InputError as error:
            raise with_path(self.path, error) from None

    def _executed(self, watch: Watch | None) -> Executable:
        """Return what runs: joined steps, unless somebody wants to see each value."""
        return self._executable if watch is None else Executable(self.graph, rounds=self._rounds)

    def tensors(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that the graph's inputs take for `data`.

        Raises:
            InputError: if an input does not fit the model.
        """
        try:
            values = self._prepare(data, None)
        except InputError as error:
            raise with_path(self.path, error) from None
        return dict(zip((named.name for named in self._inputs), values, strict=True))

    def make_state(self) -> State:
        """Return new buffers, filled with zeros, for the model's states."""
        state: State = {}
        for named in self._inputs:
            if not isinstance(named.type, ir.StateType):
                continue
            type_ = named.type.wrapped
            shape = tuple(size or 0 for size in type_.shape or ())
            require_size(shape, f"Its state {named.name!r}")
            zeros = torch.zeros(shape, dtype=dtypes.in_flight(type_.dtype))
            state[named.name] = StateBuffer(type_, zeros)
        return state

    def _prepare(self, data: Mapping[str, Any], state: State | None) -> list[Any]:
        if not isinstance(data, Mapping):
            raise InputError(f"Inputs are given as a dictionary, not as a {type(data).__name__}.")
        unknown = sorted(map(str, set(data) - set(self._features)))
        if unknown:
            raise InputError(f"There is no input {unknown[0]!r}, only {sorted(self._features)}.")
        return [self._input(named, data, state) for named in self._inputs]

    def _input(self, named: ir.Named, data: Mapping[str, Any], state: State | None) -> Any:
        if isinstance(named.type, ir.StateType):
            if state is None or named.name not in state:
                raise InputError(f"The state {named.name!r} is missing: pass make_state().")
            return state[named.name]
        feature = self._features[named.name]
        if named.name not in data and not feature.optional:
            raise InputError(f"The input {named.name!r} is missing.")
        return to_tensor(feature, data.get(named.name), named.type)


def with_path(path: Path, error: InputError) -> InputError:
    """Put the file's name before an error; names in a hostile file may be long, or have lines."""
    text = " ".join(str(error).split())
    return type(error)(f"{path}: {text if len(text) <= _LONGEST else text[:_LONGEST] + ' …'}")
