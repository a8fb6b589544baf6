"""Run a file and PyTorch in step, one operation after the other, and measures both errors.

Every value of the file is kept up to three times, from when it is computed to its last use:

    ran       as the file's own run has it: its error against PyTorch's is the accumulated one
    expected  PyTorch's own value; what PyTorch does not have is computed by the file from those
    moved     the same with the inputs nudged by a rounding, to learn what rounding explains

An operation that PyTorch does not have, a cast or a scaling of pixels, is measured together with
the next one that it has.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.deployable import name_of
from validate.drift.operations import FileOperation, OpenedFile
from validate.drift.rounding import RandomRounding, difference, explained
from validate.drift.torch_values import PartialRun, TorchGraph
from validate.images.reading import Picture
from validate.results.drift import NO_NUMBER, InputDifference, OperationDrift
from validate.runtimes.interface import as_input


@dataclass(frozen=True)
class Followed:
    """Hold an operation that was measured.

    Attributes:
        inputs: the measured values that it was computed of.
        modules: paths of the modules that PyTorch computes the same in.
        at_input: whether its value is the network's input.
    """

    operation: FileOperation
    drift: OperationDrift
    inputs: tuple[InputDifference, ...]
    modules: tuple[str, ...]
    at_input: bool


@dataclass(frozen=True)
class _Values:
    """Hold one value of the file, and the measured values that it was computed of.

    `joined` names the operations since those.
    """

    ran: Any
    expected: Any
    moved: Any
    sources: tuple[InputDifference, ...] = ()
    joined: tuple[str, ...] = ()


def follow(file: OpenedFile, graph: TorchGraph, image: Picture) -> Iterator[Followed]:
    """Yield each operation of `file` whose value PyTorch has, in order, run on `image`.

    Raises InputError when an operation of the file cannot be computed.
    """
    return _Comparison(file, graph, image).run()


class _Comparison:
    def __init__(self, file: OpenedFile, graph: TorchGraph, image: Picture) -> None:
        self._file = file
        self._graph = graph
        self._names = {
            name: reference
            for operation in file.operations
            for name in operation.outputs
            if (reference := file.reference_name(name)) is not None
        }
        wanted = Counter(self._names.values())
        self._reference_run = PartialRun(graph, torch.from_numpy(as_input(image)), wanted)
        self._measured: set[str] = set()
        self._rounding = RandomRounding()
        self._values = {name: _Values(v, v, v) for name, v in file.inputs(image).items()}

    def run(self) -> Iterator[Followed]:
        operations = self._file.operations
        last = {name: i for i, each in enumerate(operations) for name in each.inputs}
        for position, operation in enumerate(operations):
            yield from self._step(operation)
            for name in {*operation.inputs, *operation.outputs}:
                if last.get(name, position) <= position:
                    self._values.pop(name, None)

    def _step(self, operation: FileOperation) -> Iterator[Followed]:
        given = [self._values[name] for name in operation.inputs]
        sources = tuple(dict.fromkeys(source for each in given for source in each.sources))
        joined = tuple(dict.fromkeys(name for each in given for name in each.joined))
        results = zip(*self._three_runs(operation, given), strict=True)
        for name, (ran, alone, moved) in zip(operation.outputs, results, strict=True):
            reference = self._reference(name, ran)
            if reference is None:
                joined_now = (*joined, operation.name)
                self._values[name] = _Values(ran, alone, moved, sources, joined_now)
                continue
            source = self._names[name]
            module = module_name(self._graph, source)
            drift = _measured(operation, (ran, alone, moved), reference, joined, module)
            modules = self._graph.modules_between(source, self._measured)
            self._measured.add(source)
            yield Followed(operation, drift, sources, modules, source == self._graph.image)
            kept = self._file.stored(name, reference.to(ran.dtype))
            origin = InputDifference(operation.name, module, drift.accumulated)
            self._values[name] = _Values(ran, kept, kept, (origin,))

    def _three_runs(
        self, operation: FileOperation, given: Sequence[_Values]
    ) -> tuple[tuple[Any, ...], ...]:
        nudged = [self._rounding.perturbed(each.moved, operation.roundoff) for each in given]
        with torch.inference_mode():
            return (
                operation.run([each.ran for each in given]),
                operation.run([each.expected for each in given]),
                operation.run(nudged),
            )

    def _reference(self, name: str, value: object) -> Tensor | None:
        """Return PyTorch's value in the shape of the file's; None where it has none like it."""
        if name not in self._names:
            return None
        reference = self._reference_run.take(self._names[name])
        if not isinstance(value, Tensor) or not isinstance(reference, Tensor):
            return None
        sizes = [[n for n in shape if n != 1] for shape in (value.shape, reference.shape)]
        return reference.reshape(value.shape) if sizes[0] == sizes[1] else None


def module_name(graph: TorchGraph, name: str) -> str:
    """Return the name, in the network, of the module that computes a value."""
    node = graph.producer(name)
    return "" if node is None else name_of(node.module)


def _measured(
    operation: FileOperation,
    values: tuple[Tensor, Tensor, Tensor],
    reference: Tensor,
    joined: tuple[str, ...],
    module: str,
) -> OperationDrift:
    ran, alone, moved = values
    own = _finite(difference(alone, reference))
    noise = _finite(explained(difference(moved, alone), reference, operation.roundoff))
    return OperationDrift(
        name=operation.name,
        kind=operation.kind,
        module=module,
        own=own,
        explained=noise if own < NO_NUMBER else 0.0,  # nothing explains an infinity
        accumulated=_finite(difference(ran, reference)),
        largest=_finite(_largest(ran, reference)),
        joined=joined,
    )


def _largest(ran: Tensor, reference: Tensor) -> float:
    """Return the largest error as a share of the range of the reference, zero included."""
    if not reference.dtype.is_floating_point:
        return float((ran.to(reference.dtype) != reference).any())
    span = float(reference.max().clamp(min=0) - reference.min().clamp(max=0))
    error = float((ran.to(reference.dtype) - reference).abs().max())
    return error / span if span else 0.0 if error == 0 else float("inf")


def _finite(error: float) -> float:
    return NO_NUMBER if math.isnan(error) else min(error, NO_NUMBER)
