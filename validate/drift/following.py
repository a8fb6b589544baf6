"""Runs a file and PyTorch in step, one operation after the other, and measures both errors.

Every value of the file is kept up to three times, from when it is computed to its last use:

    ran       as the file's own run has it: its error against PyTorch's is the accumulated one
    expected  PyTorch's own value; what PyTorch does not have is computed by the file from those
    moved     the same with the inputs nudged by a rounding, to learn what rounding explains

An operation that PyTorch does not have, a cast or a scaling of pixels, is measured together with
the next one that it has.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from validate.drift.operations import OpenedFile, Operation
from validate.drift.recording import Playback, Recording
from validate.drift.rounding_noise import Coin, difference, explained
from validate.drift_results import OperationDrift
from validate.pictures import RGBImage
from validate.runtimes.interface import as_input

LIMIT = 1e9
"""What stands for an error that is no number."""


@dataclass(frozen=True)
class Followed:
    """An operation that was measured, and where its values come from in PyTorch."""

    operation: Operation
    drift: OperationDrift
    reference: str


@dataclass
class _Values:
    """One value of the file; `joined` names the operations since the last that PyTorch has."""

    ran: Any
    expected: Any
    moved: Any
    joined: tuple[str, ...] = ()
    accumulated: float = 0.0


@dataclass
class _State:
    values: dict[str, _Values]
    coin: Coin = field(default_factory=Coin)


def follow(file: OpenedFile, recording: Recording, image: RGBImage) -> Iterator[Followed]:
    """Each operation of `file` whose value PyTorch has, in order, run on `image`.

    Raises InputError when an operation of the file cannot be computed.
    """
    names = {
        name: reference
        for operation in file.operations
        for name in operation.outputs
        if (reference := file.reference_name(name)) is not None
    }
    playback = Playback(recording, torch.from_numpy(as_input(image)), Counter(names.values()))
    state = _State({k: _Values(v, v, v) for k, v in file.inputs(image).items()})
    last = {name: i for i, each in enumerate(file.operations) for name in each.inputs}
    for position, operation in enumerate(file.operations):
        yield from _step(file, operation, state, names, playback, recording)
        for name in {*operation.inputs, *operation.outputs}:
            if last.get(name, position) <= position:
                state.values.pop(name, None)


def _step(
    file: OpenedFile,
    operation: Operation,
    state: _State,
    names: dict[str, str],
    playback: Playback,
    recording: Recording,
) -> Iterator[Followed]:
    given = [state.values[name] for name in operation.inputs]
    joined = tuple(dict.fromkeys(name for each in given for name in each.joined))
    with torch.inference_mode():
        ran = operation.run([each.ran for each in given])
        alone = operation.run([each.expected for each in given])
        nudged = [state.coin.perturbed(each.moved, operation.roundoff) for each in given]
        moved = operation.run(nudged)
    for name, values in zip(operation.outputs, zip(ran, alone, moved, strict=True), strict=True):
        taken = playback.take(names[name]) if name in names else None
        reference = None if taken is None else _like(values[0], taken)
        if reference is None:
            state.values[name] = _Values(*values, joined=(*joined, operation.name))
            continue
        drift = _measured(operation, values, reference, joined, _module(recording, names[name]))
        yield Followed(operation, drift, names[name])
        kept = file.stored(name, reference)
        state.values[name] = _Values(values[0], kept, kept, (), drift.accumulated)


def _measured(
    operation: Operation,
    values: tuple[Tensor, Tensor, Tensor],
    reference: Tensor,
    joined: tuple[str, ...],
    module: str,
) -> OperationDrift:
    ran, alone, moved = values
    noise = explained(difference(moved, alone), reference, operation.roundoff)
    return OperationDrift(
        name=operation.name,
        kind=operation.kind,
        module=module,
        own=_finite(difference(alone, reference)),
        explained=_finite(noise),
        accumulated=_finite(difference(ran, reference)),
        largest=_finite(_largest(ran, reference)),
        joined=joined,
    )


def _largest(ran: Tensor, reference: Tensor) -> float:
    """The largest error as a share of the range of the reference, zero included."""
    if not reference.dtype.is_floating_point:
        return float((ran.to(reference.dtype) != reference).any())
    span = float(reference.max().clamp(min=0) - reference.min().clamp(max=0))
    error = float((ran.to(reference.dtype) - reference).abs().max())
    return error / span if span else 0.0 if error == 0 else float("inf")


def _like(value: object, reference: Tensor) -> Tensor | None:
    """`reference` in the shape of `value`, when they differ in dimensions of 1 at most."""
    if not isinstance(value, Tensor):
        return None
    sizes = [[n for n in shape if n != 1] for shape in (value.shape, reference.shape)]
    return reference.reshape(value.shape) if sizes[0] == sizes[1] else None


def _finite(error: float) -> float:
    return min(error, LIMIT) if error == error else LIMIT


def _module(recording: Recording, name: str) -> str:
    node = recording.producer(name)
    return "" if node is None else node.module.removeprefix("network.")
