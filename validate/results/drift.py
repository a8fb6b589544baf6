"""Hold where files depart from PyTorch, operation by operation: plain data for every report."""

from collections.abc import Mapping
from dataclasses import dataclass

NO_NUMBER = 1e9
"""Stands for an error that is infinite or no number: JSON has neither."""


@dataclass(frozen=True)
class OperationDrift:
    """Hold one operation of a file whose value PyTorch has too.

    All errors are RMS errors as shares of the RMS of PyTorch's value; of a value that is no
    float, a mask's say, the share of elements that differ.

    Attributes:
        name: the operation, as the file has it.
        kind: "conv", "Conv", "convolution", …
        module: the PyTorch module that computes the value, "encoder.layer1.0.bn1" say.
        own: its error when it is given PyTorch's own inputs.
        explained: how large `own` may be by rounding alone.
        accumulated: the error in the file's own run.
        largest: the largest error of an element in the file's own run, in shares of the range
            of PyTorch's value.
        joined: operations before it that PyTorch does not have, measured together with it.
    """

    name: str
    kind: str
    module: str
    own: float
    explained: float
    accumulated: float
    largest: float
    joined: tuple[str, ...] = ()

    @property
    def departs(self) -> bool:
        """Return whether its own error is more than rounding explains."""
        return not self.own <= self.explained


@dataclass(frozen=True)
class InputDifference:
    """Hold what the departing operation was given: a value, its module, its accumulated error."""

    name: str
    module: str
    accumulated: float


@dataclass(frozen=True)
class WeightDifference:
    """Hold a weight of the file against PyTorch's, batch norms folded in as the converters do.

    `difference` is the largest one of any element, in shares of PyTorch's largest; None where the
    shapes differ. `explained` is what rounding explains. `change` says what was done to it, "is
    all zero" say, where that is simple; else it is empty.
    """

    parameter: str
    source: str
    difference: float | None
    explained: float
    change: str = ""

    @property
    def differs(self) -> bool:
        """Return whether rounding does not explain the difference."""
        return self.difference is None or not self.difference <= self.explained


@dataclass(frozen=True)
class Departure:
    """Hold the first operation that departs: its index among the rows, and what it is made of."""

    index: int
    inputs: tuple[InputDifference, ...]
    weights: tuple[WeightDifference, ...]
    parameters: Mapping[str, str]
    cause: str


@dataclass(frozen=True)
class Drift:
    """Hold one file, followed on one picture.

    Attributes:
        path, format: the file's, in the bundle.
        picture: the sample it was followed on.
        operations: how many operations the file has, constants not counted.
        rows: those whose values PyTorch has too, in the order in which they run.
        first: the first that departs, None where none does.
        failure: why the file could not be followed to its end, None where it was.
    """

    path: str
    format: str
    precision: str
    picture: str
    operations: int
    rows: tuple[OperationDrift, ...]
    first: Departure | None = None
    failure: str | None = None
