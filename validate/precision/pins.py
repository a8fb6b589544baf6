"""Find the operations that must stay in float32 in a program that failed in float16."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from export.bundle import Bundle, Pin
from export.to_coreml import INPUT
from models.deployable import Deployable
from validate import coreml
from validate.coreml.reader.program_constants import read_weights
from validate.images.reading import Picture
from validate.images.samples import Sample, Samples
from validate.metrics.comparison import Comparison, compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.tolerances import Row, Tolerance, overlap, tolerance_for, violations
from validate.parity.picture import PictureRun
from validate.parity.probes import probe_pictures, probe_tolerance
from validate.precision.measure import measure_ranges
from validate.precision.mixed import mixture, rounded_operations
from validate.precision.search import smallest_pins
from validate.reference.network import ComputedReference
from validate.results.ranges import OperationRange, Ranges
from validate.runtimes import MalformedOutput, Outputs
from validate.runtimes.interface import as_feature, checked_outputs, named_outputs

PICTURES = 32
"""The float16 program is run on so many pictures, to see which it does worst on."""
MEASURED = 8
"""Ranges are measured on so many of those, the worst first."""
DECISIVE = 3
"""A mixture of float16 and float32 has to pass on so many of those."""
ROW: Row = ("mlprogram", "float16")
DECIDES = "it chooses the mask from logits that stay in float32"


@dataclass(frozen=True)
class PinFindings:
    """Hold what stays in float32, nothing where no choice helps, and every operation's range."""

    pins: tuple[Pin, ...]
    ranges: Ranges


def find_pins(
    programs: tuple[Path, Path],
    bundle: Bundle,
    deployable: Deployable,
    samples: Samples,
    given: Mapping[Row, Tolerance],
    module_of: Callable[[str], str | None],
) -> PinFindings:
    """Find the operations of a network that float16 does not suit.

    `programs` are its float16 and its float32 mlprogram, `given` the tolerances that take the
    place of the table's. Raises InputError where a program cannot be run.
    """
    half, full = (coreml.load(path) for path in programs)
    pictures = tuple(islice(samples, PICTURES))
    mixtures = _Mixtures(half, full, bundle, deployable, pictures, given)
    ranges = measure_ranges(full, mixtures.worst(MEASURED), read_weights(programs[1]), module_of)
    found = smallest_pins(half, full, ranges, mixtures.pass_with)
    if found is None:
        return PinFindings((), ranges)
    kept = found | _kept_by_coremltools(half, full, ranges)
    pins = tuple(_pin(each, full, ranges) for each in ranges.operations if each.name in kept)
    named = {pin.operation for pin in pins}
    pins += tuple(
        Pin(step.name, step.op_type, module_of(step.name), DECIDES)
        for step in full.graph.steps
        if step.name in kept - named
    )
    rows = tuple(replace(each, pinned=each.name in kept) for each in ranges.operations)
    return PinFindings(pins, replace(ranges, operations=rows))


class _Mixtures:
    """Compare mixtures of the two programs with PyTorch, on the pictures that show most."""

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
        reference = ComputedReference(deployable)
        self._pictures = [(sample, reference.outputs(sample)) for sample in pictures]
        self._scale = scale_of([outputs for _, outputs in self._pictures])
        self._tolerance = tolerance_for(ROW, reference.noise(), given)
        self._pictures.sort(key=lambda each: -self._loss(half, *each))
        self._probes = [
            (probe, limits)
            for probe, limits in self._expected_probes(reference, fixed=ROW in given)
            if self._departs(half, probe, limits)
        ]

    def worst(self, count: int) -> list[Picture]:
        """Return the pictures that float16 does worst on, and the probes that it fails on."""
        samples = [sample.image for sample, _ in self._pictures[:count]]
        return [*samples, *(probe.sample.image for probe, _ in self._probes)]

    def pass_with(self, in_float32: frozenset[str]) -> bool:
        """Return whether the network with these operations in float32 passes as a file does."""
        model = mixture(self._half, self._full, in_float32)
        found = []
        for sample, reference in self._pictures[:DECISIVE]:
            compared = self._compared(model, sample, reference)
            if compared is None:
                return False
            found.append(compared)
        total = measure(sum(found[1:], found[0]))
        worst = max(measure(each).relative_error for each in found)
        if violations(total, worst, self._tolerance):
            return False
        return not any(self._departs(model, *probe) for probe in self._probes)

    def _departs(self, model: coreml.Model, probe: PictureRun, tolerance: Tolerance) -> bool:
        outputs = self._outputs(model, probe.sample)
        return outputs is None or probe.departure(outputs, tolerance) is not None

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
        outputs, limits = self._outputs(model, sample), self._tolerance
        if outputs is None:
            return None
        return compare(reference, outputs, limits.max_error, limits.mask_slack, self._scale)

    def _outputs(self, model: coreml.Model, sample: Sample) -> Outputs | None:
        """Return None where the logits are not finite, or not what a bundle promises."""
        values = model.run({INPUT: as_feature(sample.image)})
        try:
            outputs = checked_outputs(
                *named_outputs(values), self._bundle.specification, sample.image
            )
        except MalformedOutput:
            return None
        return outputs if np.isfinite(outputs.logits).all() else None

    def _expected_probes(
        self, reference: ComputedReference, *, fixed: bool
    ) -> Iterator[tuple[PictureRun, Tolerance]]:
        """Yield the probes with what is tolerated on each."""
        for sample in probe_pictures(self._bundle.contract):
            expected = reference.probe(sample)
            if expected is not None:
                noise = None if fixed else reference.probe_noise(sample)
                limits = self._tolerance if fixed else probe_tolerance(self._tolerance, ROW, noise)
                yield PictureRun(sample, expected, self._scale), limits


def _kept_by_coremltools(half: coreml.Model, full: coreml.Model, ranges: Ranges) -> frozenset[str]:
    """Return what coremltools itself leaves in float32, since a weight exceeds float16."""
    heavy = {each.name for each in ranges.operations if each.weights and each.weights.overflows}
    return frozenset(heavy) - frozenset(rounded_operations(half, full))


def _pin(row: OperationRange, full: coreml.Model, ranges: Ranges) -> Pin:
    return Pin(row.name, row.type, row.module, row.fault or _given(row, full, ranges))


def _given(row: OperationRange, full: coreml.Model, ranges: Ranges) -> str:
    """Return why an operation is kept that float16 suits by itself: its inputs, or the logits."""
    faulty = {each.name: each for each in ranges.operations if each.values.fault}
    made = {named.name: step.name for step in full.graph.steps for named in step.outputs}
    (step,) = (step for step in full.graph.steps if step.name == row.name)
    sources = [faulty[made[name]] for name in step.inputs if made.get(name) in faulty]
    if not sources:
        return "in float16, it moves the logits by more than is tolerated"
    return f"it takes the values of {sources[0].title}"
