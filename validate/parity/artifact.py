"""One artifact in one runtime: loaded, run, and judged by the sums over all pictures."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from export.bundle import Artifact, Bundle
from validate.images.reading import Picture
from validate.metrics.comparison import Comparison, measure
from validate.metrics.decision_values import Scale
from validate.metrics.tolerances import Row, Tolerance, row_of, violations
from validate.parity.picture import PictureRun
from validate.parity.resize_filters import photo_violations
from validate.results.parity import ArtifactResult, PhotoWay, PictureResult, Status
from validate.runtimes import MalformedOutput, Opener, OutOfScope, Outputs, Runtime


@dataclass(frozen=True)
class RunFailure:
    """Say why an artifact does not run; `out_of_scope` where the runtime lacks what it needs."""

    reason: str
    out_of_scope: bool = False


@dataclass(frozen=True)
class ArtifactFindings:
    """Hold what one batch of pictures showed of an artifact: plain data, kept for a resumed run.

    `comparisons` go by the picture's name; `milliseconds` are those of the pictures that ran.
    """

    comparisons: tuple[tuple[str, Comparison], ...]
    milliseconds: tuple[float, ...]
    failure: RunFailure | None


class ArtifactRun:
    """Run one artifact in one runtime, and sum up what is found; `index` is its result's place.

    It is loaded when the first picture comes, and runs no further after its first failure.
    """

    def __init__(
        self, index: int, artifact: Artifact, opener: Opener, folder: Path, bundle: Bundle
    ):
        self.index = index
        self.artifact = artifact
        self.runtime = opener.runtime
        self.failure: RunFailure | None = None
        self._open = partial(opener.open, folder / artifact.path, bundle)
        self._loaded: Runtime | None = None
        self._total: Comparison | None = None
        self._pictures: list[PictureResult] = []
        self._milliseconds: list[float] = []

    @property
    def row(self) -> Row:
        """Return the row of the table of tolerances that it is judged by."""
        return row_of(self.artifact.format, self.artifact.precision, self.runtime)

    def judge(
        self,
        pictures: Sequence[PictureRun],
        scale: Scale,
        tolerance: Tolerance,
        done: Callable[[str], None],
    ) -> ArtifactFindings:
        """Compare what it makes of `pictures` with what PyTorch does; `done` follows each.

        `scale` is that of these pictures; those of earlier batches widen it.
        """
        scale = scale if self._total is None else scale | self._total.scale
        comparisons, milliseconds = [], []
        for picture in pictures:
            ran = self.run(picture.sample.name, picture.sample.image)
            if ran is not None:
                outputs, took = ran
                comparison = picture.compare(self.index, outputs, tolerance, scale)
                comparisons.append((picture.sample.name, comparison))
                milliseconds.append(took)
            done(self.runtime)
        return ArtifactFindings(tuple(comparisons), tuple(milliseconds), self.failure)

    def run(self, name: str, image: Picture) -> tuple[Outputs, float] | None:
        """Return what it makes of `image (H, W, C)`, and in how many milliseconds.

        None where it does not run: whatever its runtime raises is a verdict on the file.
        """
        if self.failure is not None:
            return None
        step = "does not load"
        try:
            self._loaded = self._loaded or self._open()
            step = f"does not run on {name}"
            started = time.perf_counter()
            outputs = self._loaded.run(image)
            took = (time.perf_counter() - started) * 1000
        except MalformedOutput as error:
            self.failure = RunFailure(f"on {name}, {error}")
        except OutOfScope as error:
            self.failure = RunFailure(_first_line(error), out_of_scope=True)
        except Exception as error:
            self.failure = RunFailure(f"it {step}: {_first_line(error)}")
        else:
            bad = int((~np.isfinite(outputs.logits)).sum()) / outputs.logits.size
            if not bad:
                return outputs, took
            self.failure = RunFailure(
                f"{100 * bad:.1f} % of its logits on {name} are NaN or infinite"
            )
        self.close()
        return None

    def add(self, findings: ArtifactFindings) -> None:
        """Add what a batch showed, of this run or of the one that it resumes."""
        for name, comparison in findings.comparisons:
            self._total = comparison if self._total is None else self._total + comparison
            self._pictures.append(PictureResult(name, measure(comparison)))
        self._milliseconds.extend(findings.milliseconds)
        self.failure = findings.failure

    def close(self) -> None:
        """Let go of the loaded artifact."""
        self._loaded = None

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
            *violations(total, worst.metrics.relative_error, tolerance),
            *photo_violations(way, artifact.path, self.runtime),
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


def median(milliseconds: Sequence[float]) -> float | None:
    """Return the median time, without the first picture's, on which runtimes still settle."""
    return statistics.median(milliseconds[1:] or milliseconds) if milliseconds else None


def _ratio(milliseconds: float | None, reference: float | None) -> float | None:
    return milliseconds / reference if milliseconds and reference else None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__
