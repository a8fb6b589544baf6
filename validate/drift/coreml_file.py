"""The operations of a Core ML file, as the reference runtime computes them."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from torch import Tensor

from export.coreml_names import CoreMLNames, without_appendix
from models.errors import InputError
from validate import coreml
from validate.coreml import ir
from validate.coreml.declarations import is_fp16
from validate.coreml.executor import compute
from validate.coreml.graph import Step
from validate.coreml.rounding import round_fp16
from validate.drift.coreml_details import details_of
from validate.drift.operations import FLOAT16, FLOAT32, Details, Operation
from validate.drift.torch_values import Recording
from validate.images.reading import Picture
from validate.runtimes.interface import as_feature

INPUT = "image"


class CoreMLFile:
    """A `.mlpackage` or `.mlmodel`, ready to be followed.

    Raises InputError when it cannot be read, or branches.
    """

    def __init__(self, path: Path, names: CoreMLNames, recording: Recording) -> None:
        self._model = coreml.load(path)
        self._names = names
        self._recording = recording
        graph = self._model.graph
        self._types: dict[str, ir.ValueType] = {
            named.name: named.type
            for named in (*graph.inputs, *(each for step in graph.steps for each in step.outputs))
        }
        self._given = {named.name for named in graph.inputs}
        every = cache(partial(details_of, path))
        self.operations = tuple(self._operation(step, every) for step in graph.steps)

    def inputs(self, image: Picture) -> dict[str, Any]:
        """The values of its inputs for a picture `(H, W, C)`."""
        return self._model.tensors({INPUT: as_feature(image)})

    def stored(self, name: str, value: Tensor) -> Tensor:
        """`value` as the file would hold it under that name: rounded where it is float16."""
        return round_fp16(value) if is_fp16(self._types[name]) else value

    def reference_name(self, name: str) -> str | None:
        """What PyTorch's recording calls a value of the file; None where it has no such value.

        A picture's pixels have the name of the network's input before they are scaled and after.
        """
        if name in self._given:
            return None
        plain = name.partition("#")[0]  # the runtime numbers the versions of a layer's value
        if without_appendix(plain) == INPUT:
            return self._recording.image
        if self._recording.resolve(plain) and plain in ("logits", "mask"):
            return self._recording.resolve(plain)
        found = self._names.find(plain)
        return None if found is None else self._recording.resolve(found.name)

    def _operation(self, step: Step, details: Any) -> Operation:
        if step.blocks:
            raise InputError(f"Its operation {step.name!r} branches, which drift cannot follow.")
        touched = [*step.inputs, *(named.name for named in step.outputs)]
        half = any(is_fp16(self._types[name]) for name in touched)
        outputs = tuple(named.name for named in step.outputs)
        return Operation(
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
