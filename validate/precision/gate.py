"""The gate that an export goes through: parity, and the range guard where float16 fails."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from export.bundle import Artifact, Bundle, Pin
from export.float16_fallback import mended
from export.formats import Job
from models.common.cli import Stages
from models.deployable import Deployable
from models.errors import InputError
from validate.images.samples import find_samples
from validate.metrics.tolerances_file import read_tolerances
from validate.parity.run import judge_network
from validate.precision.guard import find_pins
from validate.precision.survey import headroom, rounded_artifact
from validate.results.parity import Report
from validate.results.ranges import Ranges, all_pinned
from validate.runtimes import CoreMLChoice


class ParityGate:
    """Judges a bundle with the options of the command, and remembers what it found last."""

    def __init__(
        self,
        stages: Stages,
        publish: Callable[[Report, Path], None],
        *,
        samples: Path | None = None,
        coreml: CoreMLChoice | None = None,
        tolerances: Path | None = None,
    ):
        self._publish = publish
        self._samples = samples
        self._coreml = coreml
        self._tolerances = tolerances
        self._stages = stages
        self._report: Report | None = None
        self._ranges: Ranges | None = None

    def __call__(self, built: Bundle, job: Job) -> Bundle | None:
        """Return `built`, repaired if need be, once it computes what the network computes."""
        if self.judge(built, job.folder, job.deployable):
            return built
        return mended(built, job, self.judge, self, self._stages)

    def judge(self, bundle: Bundle, folder: Path, deployable: Deployable) -> bool:
        """Judge the bundle in `folder`, write and print the report; whether it passes."""
        with self._stages.counted("Checking parity") as progress:
            report = judge_network(
                deployable,
                bundle,
                folder,
                samples=self._samples,
                coreml=self._coreml,
                tolerances=self._tolerances,
                progress=progress,
            )
        report = replace(report, ranges=self._measured(bundle, folder, deployable))
        self._report = report
        self._publish(report, folder)
        return report.passed

    def suspects(self, artifact: Artifact) -> bool:
        """Whether this artifact failed, and nothing else did."""
        results = self._report.results if self._report else ()
        return {each.path for each in results if each.status == "failed"} == {artifact.path}

    def pins(
        self,
        bundle: Bundle,
        programs: tuple[Path, Path],
        deployable: Deployable,
        module_of: Callable[[str], str | None],
    ) -> tuple[Pin, ...]:
        """The operations that have to stay in float32; none where no choice of them helps."""
        samples = find_samples(self._samples, bundle.contract)
        given = read_tolerances(self._tolerances).rows
        try:
            finding = find_pins(programs, bundle, deployable, samples, given, module_of)
        except InputError as error:
            self._stages.tell(f"What float16 cannot hold was not looked for: {error}")
            return ()
        self._ranges = finding.ranges
        return finding.pins

    def _measured(self, bundle: Bundle, folder: Path, deployable: Deployable) -> Ranges | None:
        """What the guard measured, or else a glance at one picture."""
        if self._ranges is None:
            return self._headroom(bundle, folder, deployable)
        if rounded_artifact(bundle) is None:
            return all_pinned(self._ranges)
        return self._ranges

    def _headroom(self, bundle: Bundle, folder: Path, deployable: Deployable) -> Ranges | None:
        samples = find_samples(self._samples, bundle.contract)
        try:
            return headroom(bundle, folder, deployable, samples)
        except InputError:  # the report says by itself that the file does not run
            return None
