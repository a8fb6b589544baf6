"""Measure what the operations of a Core ML program need of float16: `validate.results.ranges`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from export.coreml_names import CoreMLNames
from export.to_coreml import INPUT
from models.deployable import name_of
from validate.coreml import Intermediate, Model
from validate.images.reading import Picture
from validate.precision.mixed import SUFFIX
from validate.results.ranges import LARGEST, NORMAL, Magnitudes, OperationRange, Ranges
from validate.runtimes.interface import as_feature

SAMPLED = 1 << 16
"""So many values of a tensor, evenly spread, stand for all of them; the largest is of all."""

ADDED = ("bias", "beta", "mean")
"""Parameters that are added: what rounding takes of them shows in the sums."""


ModuleOf = Callable[[str], str | None]
"""Gives the PyTorch module that an operation of a program comes from, where that is known."""


@dataclass
class _Tally:
    """Collect magnitudes, tensor by tensor."""

    sampled: bool = False
    largest: float = 0.0
    smallest: float = float("inf")
    count: int = 0
    subnormal: int = 0
    power: float = 0.0
    error: float = 0.0

    def add(self, values: Tensor) -> None:
        if not values.numel():
            return
        self.largest = max(self.largest, *(abs(float(each)) for each in torch.aminmax(values)))
        sizes = values.flatten()
        if self.sampled:
            sizes = sizes[:: max(1, len(sizes) // SAMPLED)]
        sizes = sizes.abs()
        sizes = sizes[(sizes > 0) & (sizes <= LARGEST)]
        if len(sizes):
            self._add_sizes(sizes)

    def _add_sizes(self, sizes: Tensor) -> None:
        self.smallest = min(self.smallest, float(sizes.min()))
        self.count += len(sizes)
        self.subnormal += int((sizes < NORMAL).sum())
        self.power += float(sizes.double().square().sum())
        errors = sizes - sizes.to(torch.float16).to(torch.float32)
        self.error += float(errors.double().square().sum())

    def result(self) -> Magnitudes:
        if not self.count:
            return Magnitudes(self.largest, self.largest, 0.0, 0.0)
        lost = (self.error / self.power) ** 0.5 if self.power else 1.0
        return Magnitudes(self.largest, self.smallest, self.subnormal / self.count, lost)


def measure_ranges(
    model: Model,
    pictures: Iterable[Picture],
    weights: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    module_of: ModuleOf = lambda _: None,
    pinned: Collection[str] = (),
    sampled: bool = False,
) -> Ranges:
    """Run `model` on every picture `(H, W, C)`, and return what each operation needs.

    `model` is a float32 program, or is loaded with the arithmetic "float32"; `weights` are those
    of the float32 program (see `coreml.program_constants`); `pinned` names the operations that a
    float16 program computes in float32. With `sampled` all but the largest value is measured on a
    part of each tensor, which is quick.
    """
    watcher, count = _Watcher(sampled), 0
    for image in pictures:
        model.run({INPUT: as_feature(image)}, watch=watcher)
        count += 1
    rows = (
        OperationRange(
            name,
            type_,
            module_of(name),
            watcher.tallies[name].result(),
            _weights_range((weights or {}).get(name, {})),
            name in pinned,
        )
        for name, type_ in watcher.types.items()
    )
    return Ranges(count, weights is not None, tuple(rows))


def modules_of(single: torch.jit.ScriptModule) -> ModuleOf:
    """Return what finds an operation's module in the network that was traced for one image."""
    names = CoreMLNames(single)

    def module_of(operation: str) -> str | None:
        found = names.find(operation)
        return name_of(found.module) or None if found else None

    return module_of


class _Watcher:
    """Tally the values of each operation, under its name in the float32 program."""

    def __init__(self, sampled: bool) -> None:
        self._sampled = sampled
        self.tallies: dict[str, _Tally] = {}
        self.types: dict[str, str] = {}

    def __call__(self, seen: Intermediate) -> None:
        value = seen.value
        if seen.op_type == "cast" or not isinstance(value, Tensor):
            return
        if value.is_floating_point():
            name = seen.op_name.removesuffix(SUFFIX)
            self.types[name] = seen.op_type
            self.tallies.setdefault(name, _Tally(self._sampled)).add(value)


def _weights_range(parameters: Mapping[str, np.ndarray]) -> Magnitudes | None:
    """Return the magnitudes of all parameters, or of the one that float16 suits least, if any."""
    if not parameters:
        return None
    tensors = {name: torch.from_numpy(np.array(a, np.float32)) for name, a in parameters.items()}
    each = [(name, _magnitudes([tensor])) for name, tensor in tensors.items()]
    near = [found for _, found in each if found.near]
    if near:
        return max(near, key=lambda found: found.largest)
    lost = [found for name, found in each if found.loses and name not in ADDED]
    return max(lost, key=lambda found: found.lost) if lost else _sound(tensors)


def _sound(tensors: Mapping[str, Tensor]) -> Magnitudes:
    """Return the magnitudes of all; what rounding takes of added parameters does not count."""
    whole = _magnitudes(list(tensors.values()))
    multiplied = _magnitudes([tensor for name, tensor in tensors.items() if name not in ADDED])
    return replace(whole, lost=multiplied.lost, subnormal=multiplied.subnormal)


def _magnitudes(tensors: Sequence[Tensor]) -> Magnitudes:
    tally = _Tally()
    for tensor in tensors:
        tally.add(tensor)
    return tally.result()
