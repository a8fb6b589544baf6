"""One artifact in one runtime, judged picture by picture in flat memory."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.bundle import Artifact, Bundle
from validate.images.reading import Picture
from validate.images.samples import Sample
from validate.metrics.comparison import Comparison, Metrics, compare, measure
from validate.metrics.decision_values import Scale
from validate.metrics.tolerances import Tolerance, violations
from validate.parity.resize_filters import photo_violations
from validate.results.parity import ArtifactResult, PhotoWay, PictureResult, Status
from validate.runtimes import MalformedOutput, Opener, OutOfScope, Outputs, Runtime, SmallMask


@dataclass(frozen=True)
class CandidateRecord:
    """What one batch of pictures added to a candidate."""

    pictures: tuple[tuple[str, Comparison], ...]
    milliseconds: tuple[float, ...]
    failure: str | None
    out_of_scope: bool


class Candidate:
    """Loads the artifact when the first picture comes, and stops at the first failure to run."""

    def __init__(self, artifact: Artifact, opener: Opener, folder: Path, bundle: Bundle):
        self.artifact = artifact
        self.opener = opener
        self.tolerance: Tolerance | None = None
        self._path = folder / artifact.path
        self._bundle = bundle
        self._runtime: Runtime | None = None
        self._failure: str | None = None
        self._out_of_scope = False
        self._total: Comparison | None = None
        self._pictures: list[PictureResult] = []
        self._milliseconds: list[float] = []
        self._fresh: list[tuple[str, Comparison]] = []
        self._timed = 0

    @property
    def runs(self) -> bool:
        """Whether it still takes pictures."""
        return self._failure is None

    def judge(
        self, sample: Sample, reference: Outputs, tolerance: Tolerance, scale: Scale
    ) -> tuple[float, SmallMask] | None:
        """Run it on `sample` and compare with what PyTorch computed.

        `scale` is that of the pictures of its batch; those of earlier batches widen it.
        Returns its largest error as a share of what `tolerance` allows (above 1 also where a
        label flipped decisively) and its mask; None when it could not be run.
        """
        self.tolerance = tolerance
        outputs = self._outputs(sample)
        if outputs is None:
            return None
        limits = tolerance.max_error, tolerance.mask_slack
        known = scale if self._total is None else scale | self._total.scale
        comparison = compare(reference, outputs, *limits, known)
        self._fresh.append((sample.name, comparison))
        metrics = self._add(sample.name, comparison)
        share = metrics.relative_error / tolerance.max_error
        return share + metrics.decisive_flips, outputs.small_mask

    def outputs_of(self, name: str, image: Picture) -> Outputs | None:
        """What it makes of a picture that is not one of the samples; None when it does not run."""
        return self._outputs(Sample(name, image)) if self.runs else None

    def take(self) -> CandidateRecord:
        """What was added since this was last asked for."""
        record = CandidateRecord(
            tuple(self._fresh),
            tuple(self._milliseconds[self._timed :]),
            self._failure,
            self._out_of_scope,
        )
        self._fresh, self._timed = [], len(self._milliseconds)
        return record

    def restore(self, record: CandidateRecord, tolerance: Tolerance) -> None:
        """Go on from where an earlier run stopped."""
        self.tolerance = tolerance
        for name, comparison in record.pictures:
            self._add(name, comparison)
        self._milliseconds.extend(record.milliseconds)
        self._timed = len(self._milliseconds)
        self._failure, self._out_of_scope = record.failure, record.out_of_scope

    def close(self) -> None:
        """Let go of the loaded artifact."""
        self._runtime = None

    def result(self, reference_milliseconds: float | None, way: PhotoWay | None) -> ArtifactResult:
        """The verdict on all pictures so far."""
        artifact = self.artifact
        facts = (artifact.format, artifact.path, artifact.precision, artifact.size)
        if self._failure is not None or self._total is None or self.tolerance is None:
            failure = self._failure or "it was given no picture"
            status: Status = "not run" if self._out_of_scope else "failed"
            return ArtifactResult(*facts, self.opener.runtime, status, (failure,))
        total = measure(self._total)
        worst = max(self._pictures, key=lambda each: each.metrics.relative_error)
        reasons = (
            *violations(total, worst.metrics.relative_error, self.tolerance, self._bundle.labels),
            *photo_violations(way, artifact.path, self.opener.runtime),
        )
        milliseconds = median(self._milliseconds)
        return ArtifactResult(
            *facts,
            runtime=self.opener.runtime,
            status="failed" if reasons else "passed",
            reasons=reasons,
            tolerance=self.tolerance,
            total=total,
            worst=worst,
            pictures=tuple(self._pictures),
            milliseconds=milliseconds,
            ratio=_ratio(milliseconds, reference_milliseconds),
        )

    def _add(self, name: str, comparison: Comparison) -> Metrics:
        self._total = comparison if self._total is None else self._total + comparison
        metrics = measure(comparison)
        self._pictures.append(PictureResult(name, metrics))
        return metrics

    def _outputs(self, sample: Sample) -> Outputs | None:
        """What the artifact gives; whatever its runtime raises is a verdict on the file."""
        step = "does not load"
        try:
            self._runtime = self._runtime or self.opener.open(self._path, self._bundle)
            step = f"does not run on {sample.name}"
            started = time.perf_counter()
            outputs = self._runtime.run(sample.image)
            self._milliseconds.append((time.perf_counter() - started) * 1000)
        except MalformedOutput as error:
            self._fail(f"on {sample.name}, {error}")
            return None
        except OutOfScope as error:
            self._out_of_scope = True
            self._fail(_first_line(error))
            return None
        except Exception as error:
            self._fail(f"it {step}: {_first_line(error)}")
            return None
        bad = int((~np.isfinite(outputs.logits)).sum())
        if bad:
            share = bad / outputs.logits.size
            self._fail(f"{100 * share:.1f} % of its logits on {sample.name} are NaN or infinite")
            return None
        return outputs

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self.close()


def median(milliseconds: list[float]) -> float | None:
    """The median time, without the first picture's, on which runtimes still settle."""
    return statistics.median(milliseconds[1:] or milliseconds) if milliseconds else None


def _ratio(milliseconds: float | None, reference: float | None) -> float | None:
    return milliseconds / reference if milliseconds and reference else None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__
