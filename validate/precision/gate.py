"""The gate that an export goes through: parity, and a repair where float16 alone fails.

all files pass
  -> the bundle is handed over
the float16 mlprogram fails, and nothing else
  -> `pins` names the smallest set of operations that must stay in float32
  -> the mlprogram is written again with them, and the bundle judged again
  -> only where that does not help: a float32 program, judged like the others
anything else fails
  -> no bundle
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from export.bundle import Artifact, Bundle, Pin
from export.formats import Job
from export.to_coreml import FLOAT32, Arithmetic
from models.common.cli import Stages
from models.common.text import counted
from models.errors import InputError
from validate.images.samples import Source, find_samples
from validate.metrics.tolerances_file import read_tolerances
from validate.parity.run import judge_network
from validate.precision.measure import modules_of
from validate.precision.pins import find_pins
from validate.precision.repair import ProgramRepair, program_repair
from validate.precision.survey import first_picture_ranges, rounded_artifact
from validate.reference.network import ComputedReference
from validate.results.parity import Report
from validate.results.ranges import Ranges, all_pinned
from validate.runtimes import CoreMLChoice

NAMED = 12
"""So many of the operations that stay in float32 are told by name."""


class ParityGate:
    """Judge a fresh bundle, and repair what float16 alone makes fail.

    `publish` is given the last report, the bundle and its folder, whether the bundle passes or not.
    """

    def __init__(
        self,
        stages: Stages,
        publish: Callable[[Report, Bundle, Path], None],
        *,
        samples: Source = None,
        coreml: CoreMLChoice | None = None,
        tolerances: Path | None = None,
        allow_unjudged: Sequence[str] = (),
    ):
        self._stages = stages
        self._publish = publish
        self._samples = samples
        self._coreml = coreml
        self._tolerances = tolerances
        self._allow_unjudged = allow_unjudged
        self._reference: ComputedReference | None = None

    def ahead(self, job: Job) -> Iterator[None]:
        """Run PyTorch on one picture after the other, before there is a bundle to be judged."""
        self._reference = ComputedReference(job.deployable)
        yield from self._reference.ahead(find_samples(self._samples, job.description.contract))

    def __call__(self, built: Bundle, job: Job) -> Bundle | None:
        """Return `built`, repaired if need be, once it computes what the network computes.

        None where it does not. The files lie in the folder of `job`.
        """
        bundle, ranges, report = built, None, self._judged(built, job)
        failed = _only_float16(report, built)
        if failed is None:
            ranges = self._file_ranges(built, job)
        else:
            self._tell_failure(report, failed)
            repair = program_repair(built, job, self._stages)
            for repaired in self._repaired(repair, failed):
                bundle, ranges = repaired
                report = self._judged(bundle, job)
                if report.passed:
                    break
        self._publish(replace(report, ranges=ranges), bundle, job.folder)
        return bundle if report.passed else None

    def _judged(self, bundle: Bundle, job: Job) -> Report:
        with self._stages.counted("Checking parity") as progress:
            return judge_network(
                self._reference or job.deployable,
                bundle,
                job.folder,
                samples=self._samples,
                coreml=self._coreml,
                tolerances=self._tolerances,
                allow_unjudged=self._allow_unjudged,
                progress=progress,
            )

    def _repaired(
        self, repair: ProgramRepair, failed: Artifact
    ) -> Iterator[tuple[Bundle, Ranges | None]]:
        """Yield the bundle with fewer and fewer operations in float16, with what was measured."""
        pins, ranges = self._pins(repair)
        if pins:
            self._tell_pins(pins, failed)
            count = counted(len(pins), "operation")
            note = f"{failed.path}: float16 alone fails, so {count} of it stay in float32."
            yield repair.written(Arithmetic("float16", pins), note), ranges
        self._stages.tell(
            f"{failed.path}: no choice of operations helps, so all of it stays in float32."
        )
        note = f"{failed.path}: float16 fails, so it is a float32 program."
        yield repair.written(FLOAT32, note), ranges and all_pinned(ranges)

    def _pins(self, repair: ProgramRepair) -> tuple[tuple[Pin, ...], Ranges | None]:
        """Return the operations that have to stay in float32, and the range of every operation."""
        bundle = repair.bundle
        samples = find_samples(self._samples, bundle.contract)
        given = read_tolerances(self._tolerances).rows
        with repair.programs() as programs, self._stages("Finding what float16 cannot hold"):
            try:
                deployable, module_of = repair.job.deployable, modules_of(repair.single)
                found = find_pins(programs, bundle, deployable, samples, given, module_of)
            except InputError as error:
                self._stages.tell(f"What float16 cannot hold was not looked for: {error}")
                return (), None
        return found.pins, found.ranges

    def _file_ranges(self, bundle: Bundle, job: Job) -> Ranges | None:
        samples = find_samples(self._samples, bundle.contract)
        try:
            return first_picture_ranges(bundle, job.folder, job.deployable, samples)
        except InputError:  # the report says by itself that the file does not run
            return None

    def _tell_failure(self, report: Report, failed: Artifact) -> None:
        reasons = next(each.reasons for each in report.results if each.status == "failed")
        self._stages.tell(f"In float16, {failed.path} departs from PyTorch: {'; '.join(reasons)}.")
        self._stages.tell("No other file does: what float16 cannot hold in it is looked for now.")

    def _tell_pins(self, pins: tuple[Pin, ...], failed: Artifact) -> None:
        count = counted(len(pins), "operation")
        self._stages.tell(f"{failed.path}: float16 does not suit {count}; kept in float32:")
        for pin in pins[:NAMED]:
            self._stages.tell(f"  {pin.title}: {pin.reason}")
        if len(pins) > NAMED:
            self._stages.tell(f"  and {len(pins) - NAMED} more, which bundle.json names")


def _only_float16(report: Report, bundle: Bundle) -> Artifact | None:
    """Return the float16 mlprogram where it failed, and nothing else but what is made of it did."""
    artifact = rounded_artifact(bundle)
    if artifact is None or artifact.format != "mlprogram":
        return None
    failed = {each.path for each in report.results if each.status == "failed"}
    made_of_it = {each.path for each in bundle.artifacts if each.compression is not None}
    return artifact if failed - made_of_it == {artifact.path} else None
