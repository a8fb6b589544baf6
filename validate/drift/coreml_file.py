"""Run the operations of a Core ML file one at a time, in the reference runtime."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from torch import Tensor

from export.coreml_names import CoreMLNames, without_appendix
from models.errors import InputError
from validate import coreml
from validate.coreml import ir
from validate.coreml.execution.declarations import is_fp16
from validate.coreml.execution.executor import compute
from validate.coreml.execution.rounding import round_fp16
from validate.coreml.graph import Step
from validate.drift.coreml_details import details_of
from validate.drift.operations import FLOAT16, FLOAT32, Details, FileOperation
from validate.drift.torch_values import TorchGraph
from validate.images.reading import Picture
from validate.runtimes.interface import as_feature

INPUT = "image"


class CoreMLFile:
    """Run the operations of a `.mlpackage` or `.mlmodel`.

    Raises InputError when it cannot be read, or branches.
    """

    def __init__(self, path: Path, names: CoreMLNames, graph: TorchGraph) -> None:
        self._model = coreml.load(path)
        self._names = names
        self._graph = graph
        inputs, steps = self._model.graph.inputs, self._model.graph.steps
        self._types: dict[str, ir.ValueType] = {
            named.name: named.type
            for named in (*inputs, *(each for step in steps for each in step.outputs))
        }
        self._given = {named.name for named in inputs}
        every = cache(partial(details_of, path))
        self.operations = tuple(self._operation(step, every) for step in steps)

    def inputs(self, image: Picture) -> dict[str, Any]:
        """Return the values of its inputs for a picture `(H, W, C)`."""
        return self._model.tensors({INPUT: as_feature(image)})

    def stored(self, name: str, value: Tensor) -> Tensor:
        """Return `value` as the file would hold it under that name: rounded where it is float16."""
        return round_fp16(value) if is_fp16(self._types[name]) else value

    def reference_name(self, name: str) -> str | None:
        """Return the name that PyTorch's graph has for a value of the file; None where none.

        A picture's pixels have the name of the network's input before they are scaled and after.
        """
        if name in self._given:
            return None
        plain = name.partition("#")[0]  # the runtime numbers the versions of a layer's value
        if without_appendix(plain) == INPUT:
            return self._graph.image
        if self._graph.resolve(plain) and plain in ("logits", "mask"):
            return self._graph.resolve(plain)
        found = self._names.find(plain)
        return None if found is None else self._graph.resolve(found.name)

    def _operation(self, step: Step, details: Any) -> FileOperation:
        if step.blocks:
            raise InputError(f"Its operation {step.name!r} branches, which drift cannot follow.")
        touched = [*step.inputs, *(named.name for named in step.outputs)]
        half = any(is_fp16(self._types[name]) for name in touched)
        outputs = tuple(named.name for named in step.outputs)
        return FileOperation(
            step.name,
            step.op_type,
            step.inputs,
            outputs,
            partial(self._run, step),
            FLOAT16 if half else FLOAT32,
            lambda: details().get(outputs[0].partition("#")[0], Details()),
        )

    def _run(self, step: Step, values: Sequence[Any]) -> tuple[Any, ...]:
        results = compute(step, values)
        return tuple(
            self.stored(named.name, value) if isinstance(value, Tensor) else value
            for named, value in zip(step.outputs, results, strict=True)
        )
