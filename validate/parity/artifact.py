"""One artifact in one runtime: run on the samples, and judged by the sums over all of them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.bundle import Artifact, Bundle
from validate.images.samples import Sample
from validate.metrics.comparison import Comparison, measure
from validate.metrics.mask_quality import MaskCounts
from validate.metrics.tolerances import Row, Tolerance, row_of, violations
from validate.parity.execution import Execution, RunFailure
from validate.parity.picture import PictureRun
from validate.parity.resize_filters import photo_violations
from validate.results.parity import ArtifactResult, PhotoWay, PictureResult, Status
from validate.runtimes import Opener, Outputs

REPEATED = 1e-6
"""A second run may differ by this share of the largest logit: sums in another order at most."""

Done = Callable[[str], None]
"""Is told the runtime after each picture."""


@dataclass(frozen=True)
class ArtifactFindings:
    """Hold what one batch of pictures showed of an artifact: plain data, kept for a resumed run.

    `comparisons` go by the picture's name, `milliseconds` are those of samples run alone, and
    `reasons` say what is wrong with the artifact that no sample shows; `masks` are counted of a
    compressed file.
    """

    comparisons: tuple[tuple[str, Comparison], ...] = ()
    milliseconds: tuple[float, ...] = ()
    failure: RunFailure | None = None
    reasons: tuple[str, ...] = ()
    masks: MaskCounts | None = None

    def __add__(self, other: "ArtifactFindings") -> "ArtifactFindings":
        return ArtifactFindings(
            self.comparisons + other.comparisons,
            self.milliseconds + other.milliseconds,
            other.failure,
            self.reasons + other.reasons,
            self.masks + other.masks if self.masks and other.masks else self.masks or other.masks,
        )


class ArtifactRun:
    """Run one artifact in one runtime, and sum up what is found; `index` is its result's place.

    It runs no further after the first sample that it fails on.
    """

    def __init__(
        self, index: int, artifact: Artifact, opener: Opener, folder: Path, bundle: Bundle
    ):
        self.artifact = artifact
        self.runtime = opener.runtime
        self.execution = Execution(opener, folder / artifact.path, bundle)
        self.failure: RunFailure | None = None
        self._index = index
        self._labels = bundle.labels
        self._first: tuple[Sample, Outputs] | None = None
        self._total: Comparison | None = None
        self._pictures: list[PictureResult] = []
        self._milliseconds: list[float] = []
        self._reasons: list[str] = []

    @property
    def row(self) -> Row:
        """Return the row of the table of tolerances that it is judged by."""
        return row_of(self.artifact.format, self.artifact.precision, self.runtime)

    def judge(
        self, pictures: Sequence[PictureRun], tolerance: Tolerance, done: Done
    ) -> ArtifactFindings:
        """Compare what it makes of `pictures`, each alone, with what PyTorch does."""
        timed, comparisons = len(self.execution.milliseconds), []
        for picture in pictures:
            outputs = self._run(picture.sample)
            if outputs is not None:
                comparison = picture.compare(self._index, outputs, tolerance)
                comparisons.append((picture.sample.name, comparison))
            done(self.runtime)
        milliseconds = tuple(self.execution.milliseconds[timed:])
        return ArtifactFindings(tuple(comparisons), milliseconds, self.failure)

    def compared(
        self,
        pictures: Sequence[PictureRun],
        outputs: Sequence[Outputs],
        tolerance: Tolerance,
        done: Done,
    ) -> ArtifactFindings:
        """Compare what it made of `pictures` already with what PyTorch does."""
        comparisons = []
        for picture, made in zip(pictures, outputs, strict=True):
            comparison = picture.compare(self._index, made, tolerance)
            comparisons.append((picture.sample.name, comparison))
            done(self.runtime)
        return ArtifactFindings(tuple(comparisons), failure=self.failure)

    def add(self, findings: ArtifactFindings) -> None:
        """Add what a batch showed, of this run or of the one that it resumes."""
        for name, comparison in findings.comparisons:
            self._total = comparison if self._total is None else self._total + comparison
            self._pictures.append(PictureResult(name, measure(comparison)))
        self._milliseconds.extend(findings.milliseconds)
        self.failure = findings.failure
        self._reasons.extend(findings.reasons)

    def finish(self) -> None:
        """Run the first sample again, to see that nothing has changed, and let go of the file."""
        if self._first is not None and self.failure is None:
            state = self.execution.state()
            if state is not None:
                self._reasons.append(f"{state}: results depend on what was run before")
            self._reasons.extend(self._repeat_departures(*self._first))
        self._first = None
        self.execution.close()

    def result(
        self, tolerance: Tolerance, reference_milliseconds: float | None, way: PhotoWay | None
    ) -> ArtifactResult:
        """Return the verdict on all pictures so far."""
        artifact = self.artifact
        facts = (artifact.format, artifact.path, artifact.precision, artifact.size, self.runtime)
        if self.failure is not None or self._total is None:
            failure = self.failure or RunFailure("it was given no picture")
            status: Status = "not run" if failure.out_of_scope else "failed"
            return ArtifactResult(*facts, status, (failure.reason,))
        total = measure(self._total)
        worst = max(self._pictures, key=lambda each: each.metrics.relative_error)
        reasons = (
            *violations(total, worst.metrics.relative_error, tolerance, self._labels),
            *photo_violations(way, artifact.path, self.runtime),
            *self._reasons,
        )
        milliseconds = median(self._milliseconds)
        return ArtifactResult(
            *facts,
            status="failed" if reasons else "passed",
            reasons=reasons,
            tolerance=tolerance,
            total=total,
            worst=worst,
            pictures=tuple(self._pictures),
            milliseconds=milliseconds,
            ratio=_ratio(milliseconds, reference_milliseconds),
        )

    def _run(self, sample: Sample) -> Outputs | None:
        if self.failure is not None:
            return None
        ran = self.execution.run(sample.name, sample.image)
        if isinstance(ran, RunFailure):
            self.failure = ran
            self.execution.close()
            return None
        self._first = self._first or (sample, ran)
        return ran

    def _repeat_departures(self, sample: Sample, before: Outputs) -> list[str]:
        again = self.execution.run(sample.name, sample.image)
        if isinstance(again, RunFailure):
            return [f"when {sample.name} is run again at the end, {again.reason}"]
        apart = float(np.abs(again.logits - before.logits).max())
        # Core ML itself may take another unit the second time.
        if self.runtime == "Core ML" or apart <= REPEATED * float(np.abs(before.logits).max()):
            return []
        return [
            f"its logits of {sample.name} are others when that is run again at the end: they "
            f"differ by up to {apart:.2g}"
        ]


def median(milliseconds: Sequence[float]) -> float | None:
    """Return the median time, without the first picture's, on which runtimes still settle."""
    return statistics.median(milliseconds[1:] or milliseconds) if milliseconds else None


def _ratio(milliseconds: float | None, reference: float | None) -> float | None:
    return milliseconds / reference if milliseconds and reference else None
