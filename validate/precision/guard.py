"""Finds what float16 cannot hold in a program that failed, and what must stay in float32."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from export.bundle import Bundle, Pin
from export.to_coreml import INPUT
from models.deployable import Deployable
from validate import coreml
from validate.coreml.program_constants import read_weights
from validate.images.reading import Picture
from validate.images.samples import Sample, Samples
from validate.metrics.comparison import Comparison, compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.tolerances import Row, Tolerance, overlap, tolerance_for, violations
from validate.precision.measure import measure_ranges
from validate.precision.mixed import mixture, rounded_operations
from validate.precision.search import smallest_pins
from validate.reference.network import Computed
from validate.results.ranges import OperationRange, Ranges
from validate.runtimes import MalformedOutput, Outputs
from validate.runtimes.interface import as_feature, checked_outputs, named_outputs

LOOKED_AT = 32
"""The float16 program is run on so many pictures, to see which it does worst on."""
PICTURES = 8
"""Ranges are measured on so many of those, the worst first."""
TRIALS = 3
"""So many of those decide a trial."""
ROW: Row = ("mlprogram", "float16")
DECIDES = "it chooses the mask from logits that stay in float32"


@dataclass(frozen=True)
class Finding:
    """The operations that stay in float32, none where no choice helps, and every operation's
    range."""

    pins: tuple[Pin, ...]
    ranges: Ranges


def find_pins(
    programs: tuple[Path, Path],
    bundle: Bundle,
    deployable: Deployable,
    samples: Samples,
    given: Mapping[Row, Tolerance],
    module_of: Callable[[str], str | None],
) -> Finding:
    """Find the operations of a network that float16 does not suit.

    `programs` are its float16 and its float32 mlprogram, `given` the tolerances that take the
    place of the table's. Raises InputError where a program cannot be run.
    """
    half, full = (coreml.load(path) for path in programs)
    pictures = tuple(islice(samples, LOOKED_AT))
    trials = _Trials(half, full, bundle, deployable, pictures, given)
    ranges = measure_ranges(full, trials.worst(PICTURES), read_weights(programs[1]), module_of)
    found = smallest_pins(half, full, ranges, trials.passes)
    if found is None:
        return Finding((), ranges)
    kept = found | _kept_by_coremltools(half, full, ranges)
    pins = tuple(_pin(each, full, ranges) for each in ranges.operations if each.name in kept)
    named = {pin.operation for pin in pins}
    pins += tuple(
        Pin(step.name, step.op_type, module_of(step.name), DECIDES)
        for step in full.graph.steps
        if step.name in kept - named
    )
    rows = tuple(replace(each, pinned=each.name in kept) for each in ranges.operations)
    return Finding(pins, replace(ranges, operations=rows))


class _Trials:
    """Runs mixtures of the two programs against PyTorch, on the pictures that show most."""

    def __init__(
        self,
        half: coreml.Model,
        full: coreml.Model,
        bundle: Bundle,
        deployable: Deployable,
        pictures: Sequence[Sample],
        given: Mapping[Row, Tolerance],
    ):
        self._half, self._full, self._bundle = half, full, bundle
        reference = Computed(deployable)
        self._pictures = [(sample, reference.outputs(sample)) for sample in pictures]
        self._scale = scale_of([outputs for _, outputs in self._pictures])
        self._tolerance = tolerance_for(ROW, reference.noise(), given)
        self._pictures.sort(key=lambda each: -self._loss(half, *each))

    def worst(self, count: int) -> list[Picture]:
        """The pictures that float16 does worst on."""
        return [sample.image for sample, _ in self._pictures[:count]]

    def passes(self, in_float32: frozenset[str]) -> bool:
        """Whether the network with these operations in float32 passes as the gate judges."""
        model = mixture(self._half, self._full, in_float32)
        found = []
        for sample, reference in self._pictures[:TRIALS]:
            compared = self._compared(model, sample, reference)
            if compared is None:
                return False
            found.append(compared)
        total = measure(sum(found[1:], found[0]))
        worst = max(measure(each).relative_error for each in found)
        return not violations(total, worst, self._tolerance)

    def _loss(self, model: coreml.Model, sample: Sample, reference: Outputs) -> float:
        """Return the larger part of what is tolerated of the error and of each class's mask."""
        compared = self._compared(model, sample, reference)
        if compared is None:
            return np.inf
        metrics, limits = measure(compared), self._tolerance
        lost = 1 - min(map(overlap, metrics.classes))
        return max(metrics.relative_error / limits.max_error, lost / max(1 - limits.min_iou, 1e-3))

    def _compared(
        self, model: coreml.Model, sample: Sample, reference: Outputs
    ) -> Comparison | None:
        """None where the logits are not finite, or not what a bundle promises."""
        values = model.run({INPUT: as_feature(sample.image)})
        try:
            outputs = checked_outputs(
                *named_outputs(values), self._bundle.specification, sample.image
            )
        except MalformedOutput:
            return None
        if not np.isfinite(outputs.logits).all():
            return None
        limits = self._tolerance
        return compare(reference, outputs, limits.max_error, limits.mask_slack, self._scale)


def _kept_by_coremltools(half: coreml.Model, full: coreml.Model, ranges: Ranges) -> frozenset[str]:
    """Operations that coremltools itself leaves in float32, since a weight exceeds float16."""
    heavy = {each.name for each in ranges.operations if each.weights and each.weights.overflows}
    return frozenset(heavy) - frozenset(rounded_operations(half, full))


def _pin(row: OperationRange, full: coreml.Model, ranges: Ranges) -> Pin:
    return Pin(row.name, row.type, row.module, row.fault or _given(row, full, ranges))


def _given(row: OperationRange, full: coreml.Model, ranges: Ranges) -> str:
    """Why an operation is kept that float16 suits by itself: for what it is given, or for all."""
    faulty = {each.name: each for each in ranges.operations if each.values.fault}
    made = {named.name: step.name for step in full.graph.steps for named in step.outputs}
    (step,) = (step for step in full.graph.steps if step.name == row.name)
    sources = [faulty[made[name]] for name in step.inputs if made.get(name) in faulty]
    if not sources:
        return "in float16, it moves the logits by more than is tolerated"
    return f"it takes the values of {sources[0].title}"
