"""A run of all pictures: PyTorch and every artifact, batch by batch, and the report of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from export.bundle import Artifact, Bundle
from validate.images.overlay import as_rgb
from validate.images.samples import Sample, Samples
from validate.metadata.check import check_statements, with_violations
from validate.metrics.decision_values import Scale, scale_of
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import Tolerance, tolerance_for
from validate.metrics.tolerances_file import GivenTolerances
from validate.parity.artifact import ArtifactFindings, ArtifactRun, Done, median
from validate.parity.branches import compared_branches
from validate.parity.checks import Checks
from validate.parity.compressed import CompressedRun
from validate.parity.picture import PictureRun
from validate.parity.probes import probe_pictures
from validate.parity.resize_filters import resize_comparison
from validate.reference.network import Reference
from validate.results.bundle_facts import facts_of
from validate.results.machine import machine_facts
from validate.results.parity import (
    ArtifactResult,
    Branches,
    PhotoWay,
    Report,
    SampleFacts,
    ShownPicture,
)
from validate.results.provenance import provenance_of
from validate.results.thumbnails import RankedPicture, WorstPictures, shown_picture
from validate.runtimes import CoreMLChoice, NotRun, Opener, runtimes_for


@dataclass(frozen=True)
class BatchFindings:
    """Hold what one batch showed: plain data, kept for a resumed run.

    `scale` is that of all batches so far; `probes`, `noise`, `photo_way` and `branches` are of
    the first batch, and repeated by the others; `shown` are the pictures for the page, without
    their photos.
    """

    used: int
    scale: Scale
    probes: tuple[str, ...]
    noise: Noise | None
    photo_way: PhotoWay | None
    branches: Branches | None
    milliseconds: tuple[float, ...]
    artifacts: tuple[ArtifactFindings, ...]
    shown: tuple[RankedPicture, ...]


class ParitySession:
    """Run a bundle's artifacts beside PyTorch, and sum up what they do.

    `allow_unjudged` names formats whose files may pass without being judged.
    """

    def __init__(
        self,
        reference: Reference,
        bundle: Bundle,
        folder: Path,
        samples: Samples,
        coreml: CoreMLChoice | None,
        given: GivenTolerances,
    ):
        places = [(each, run) for each in bundle.artifacts for run in runtimes_for(each, coreml)]
        self._results: list[ArtifactRun | ArtifactResult] = [
            _run(index, artifact, runtime, folder, bundle, reference)
            if isinstance(runtime, Opener)
            else _not_run(artifact, runtime)
            for index, (artifact, runtime) in enumerate(places)
        ]
        self.runs = [each for each in self._results if isinstance(each, ArtifactRun)]
        self._reference = reference
        self._bundle = bundle
        self._folder = folder
        self._given = given
        self.allow_unjudged: tuple[str, ...] = ()
        self._samples = samples
        self._shown = WorstPictures(bundle.mask_shape, len(places))
        self._photo_way: PhotoWay | None = None
        self._branches: Branches | None = None
        self._noise: Noise | None = None
        self._scale: Scale | None = None
        self._probes: tuple[str, ...] = ()
        self._used = 0
        self._milliseconds: list[float] = []

    def run(self, batch: list[Sample], done: Done, *, release: bool) -> BatchFindings:
        """Run `batch` through everything, and return what it showed.

        With `release`, which no other batch may follow, every artifact is let go when it is
        done, before the next is loaded.
        """
        timed = len(self._reference.milliseconds)
        made = []
        for sample in batch:
            made.append((sample, self._reference.outputs(sample)))
            done("PyTorch")
        scale = scale_of([outputs for _, outputs in made])
        self._scale = scale if self._scale is None else self._scale | scale
        pictures = [PictureRun(*each, self._scale) for each in made]
        checks = None if self._used else self._start(pictures, self._scale)
        artifacts = []
        for run in self.runs:
            artifacts.append(self._judge(run, pictures, checks, done))
            if release:
                run.finish()
        if checks is not None and checks.photos is not None:
            self._photo_way = checks.photos.result()
        findings = BatchFindings(
            used=len(batch),
            scale=self._scale,
            probes=self._probes,
            noise=self._noise,
            photo_way=self._photo_way,
            branches=self._branches,
            milliseconds=tuple(self._reference.milliseconds[timed:]),
            artifacts=tuple(artifacts),
            shown=self._shown.add(picture.ranked() for picture in pictures),
        )
        self._add(findings)
        return findings

    def resume(self, findings: BatchFindings) -> None:
        """Add what a batch of an earlier run showed."""
        self._add(findings)
        self._shown.add(findings.shown)

    def report(self, seconds: float) -> Report:
        """Finish every artifact, and return everything that was found."""
        for run in self.runs:
            run.finish()
        milliseconds = median(self._milliseconds)
        network, stored = self._reference.deployable, self._reference.path
        return Report(
            bundle=self._bundle.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            facts=self._facts(),
            labels=self._bundle.labels,
            colours=self._bundle.colours,
            samples=SampleFacts(self._samples.origin, self._used, tuple(self._samples.skipped)),
            probes=self._probes,
            allow_unjudged=self.allow_unjudged,
            noise=self._noise,
            milliseconds=milliseconds,
            results=with_violations(
                (
                    each.result(self._tolerance(each), milliseconds, self._photo_way)
                    if isinstance(each, ArtifactRun)
                    else each
                    for each in self._results
                ),
                check_statements(self._bundle, self._folder, network),
            ),
            provenance=provenance_of(self._bundle, self._folder, self._samples, stored),
            machine=machine_facts(),
            tolerances=self._given.source,
            photo_way=self._photo_way,
            branches=self._branches,
            independent=self._bundle.specification.independent,
            seconds=seconds,
            shown=tuple(map(self._with_image, self._shown.ordered())),
        )

    def _start(self, pictures: Sequence[PictureRun], scale: Scale) -> Checks:
        """Measure what is measured once, and prepare the checks that are made once."""
        self._noise = self._reference.noise()
        network = self._reference.deployable
        self._branches = compared_branches(network, [each.sample.image for each in pictures])
        pairs = [
            (each, self._reference.probe(each)) for each in probe_pictures(self._bundle.contract)
        ]
        probes = tuple(PictureRun(each, made, scale) for each, made in pairs if made is not None)
        self._probes = tuple(each.sample.name for each in probes)
        photos = resize_comparison(pictures, self._samples, network)
        return Checks(self._reference, photos, probes)

    def _judge(
        self, run: ArtifactRun, pictures: Sequence[PictureRun], checks: Checks | None, done: Done
    ) -> ArtifactFindings:
        tolerance = self._tolerance(run)
        if checks is None:
            return run.judge(pictures, tolerance, done)
        fixed = run.row in self._given.rows
        checks = run.checks(checks) if isinstance(run, CompressedRun) else checks
        return checks.judge(run, pictures, tolerance, done, fixed=fixed)

    def _add(self, findings: BatchFindings) -> None:
        self._used += findings.used
        self._scale = findings.scale
        self._probes = findings.probes
        self._noise = findings.noise
        self._photo_way = findings.photo_way
        self._branches = findings.branches
        self._milliseconds.extend(findings.milliseconds)
        for run, part in zip(self.runs, findings.artifacts, strict=True):
            run.add(part)

    def _tolerance(self, run: ArtifactRun) -> Tolerance:
        return tolerance_for(run.row, self._noise, self._given.rows)

    def _with_image(self, ranked: RankedPicture) -> ShownPicture:
        """Read the photo again of a picture that an earlier run has judged."""
        picture = ranked.picture
        if picture.image.size:
            return picture
        empty = np.zeros(self._bundle.mask_shape, np.uint8)
        image = as_rgb(self._samples.read(ranked.index).image)
        return replace(picture, image=shown_picture(picture.name, image, empty, {}).image)

    def _facts(self) -> dict[str, str]:
        origin = self._reference.origin
        return facts_of(self._bundle) | ({"Reference": origin} if origin else {})


def _run(
    index: int,
    artifact: Artifact,
    opener: Opener,
    folder: Path,
    bundle: Bundle,
    reference: Reference,
) -> ArtifactRun:
    if artifact.compression is None:
        return ArtifactRun(index, artifact, opener, folder, bundle)
    return CompressedRun(index, artifact, opener, folder, bundle, reference.deployable)


def _not_run(artifact: Artifact, runtime: NotRun) -> ArtifactResult:
    return ArtifactResult(
        artifact.format,
        artifact.path,
        artifact.precision,
        artifact.size,
        runtime.runtime,
        "not run",
        (runtime.reason,),
    )
