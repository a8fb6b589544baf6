"""The run itself: PyTorch and every artifact, batch of pictures by batch of pictures."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from export.bundle import Artifact, Bundle
from validate.images.overlay import as_rgb
from validate.images.samples import Sample, Samples
from validate.metadata.check import check_statements, with_violations
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import Row, Tolerance, row_of, tolerance_for
from validate.metrics.tolerances_file import GivenTolerances
from validate.parity.artifact import Candidate, CandidateRecord, median
from validate.parity.branches import compared_branches
from validate.parity.resize_filters import PhotoTrial, photo_trial
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
from validate.results.thumbnails import bytes_of_shown, shown_picture
from validate.runtimes import CoreMLChoice, NotRun, Opener, Outputs, SmallMask, runtimes_for

SHOWN = 100
SHOWN_BYTES = 384 << 20
NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class BatchRecord:
    """What one batch added to a trial; the pictures to show are without their photos."""

    used: int
    noise: Noise | None
    photo_way: PhotoWay | None
    branches: Branches | None
    milliseconds: tuple[float, ...]
    candidates: tuple[CandidateRecord, ...]
    shown: tuple[tuple[float, int, ShownPicture], ...]


class Trial:
    """Collects what every artifact does, and makes the report of it."""

    def __init__(
        self,
        reference: Reference,
        bundle: Bundle,
        folder: Path,
        samples: Samples,
        coreml: CoreMLChoice | None,
        given: GivenTolerances,
    ):
        self._entries = [
            Candidate(artifact, runtime, folder, bundle)
            if isinstance(runtime, Opener)
            else _not_run(artifact, runtime)
            for artifact in bundle.artifacts
            for runtime in runtimes_for(artifact, coreml)
        ]
        self._reference = reference
        self._bundle = bundle
        self._folder = folder
        self._given = given
        self._samples = samples
        self._photo_way: PhotoWay | None = None
        self._branches: Branches | None = None
        self._noise: Noise | None = None
        self._used = 0
        self._taken = self._timed = self._begun = 0
        self._shown: list[tuple[float, int, ShownPicture]] = []

    @property
    def candidates(self) -> list[Candidate]:
        """The artifacts that are run here, each in each of its runtimes."""
        return [entry for entry in self._entries if isinstance(entry, Candidate)]

    def run(self, batch: list[Sample], *, release: bool) -> Iterator[str]:
        """Run `batch` through everything; yields the runtime's name after each picture.

        With `release` every artifact is let go when it is done, before the next is loaded.
        """
        self._begun = batch[0].index
        references = []
        for sample in batch:
            references.append(self._reference.outputs(sample))
            yield "PyTorch"
        photos = None
        if not self._used:
            self._measure_noise()
            network = self._reference.deployable
            photos = photo_trial(batch, references, self._samples, network)
            self._branches = compared_branches(network, [sample.image for sample in batch])
        shares = [0.0] * len(batch)
        masks: list[dict[int, SmallMask]] = [{} for _ in batch]
        for index, candidate in enumerate(self._entries):
            if isinstance(candidate, ArtifactResult):
                continue
            tolerance = self._tolerance(candidate)
            for position, (sample, reference) in enumerate(zip(batch, references, strict=True)):
                judged = candidate.judge(sample, reference, tolerance) if candidate.runs else None
                if judged is not None:
                    shares[position] = max(shares[position], judged[0])
                    masks[position][index] = judged[1]
                yield candidate.opener.runtime
            if photos is not None:
                self._take_photos(photos, candidate)
            if release:
                candidate.close()
        if photos is not None:
            self._photo_way = photos.result()
        self._show(batch, references, masks, shares)
        self._used += len(batch)

    def _take_photos(self, photos: PhotoTrial, candidate: Candidate) -> None:
        outputs = [candidate.outputs_of("a photo", image) for image in photos.pixels]
        made = [each for each in outputs if each is not None]
        if len(made) == len(outputs):
            path, runtime = candidate.artifact.path, candidate.opener.runtime
            photos.judge(path, runtime, made, self._tolerance(candidate))

    def take(self) -> BatchRecord:
        """What was added since this was last asked for."""
        first, begun, timed = self._taken, self._begun, self._timed
        self._taken, self._timed = self._used, len(self._reference.milliseconds)
        return BatchRecord(
            used=self._used - first,
            noise=self._noise,
            photo_way=self._photo_way,
            branches=self._branches,
            milliseconds=tuple(self._reference.milliseconds[timed:]),
            candidates=tuple(candidate.take() for candidate in self.candidates),
            shown=tuple(
                (share, index, replace(picture, image=NO_IMAGE))
                for share, index, picture in self._shown
                if index >= begun
            ),
        )

    def restore(self, record: BatchRecord) -> None:
        """Go on from where an earlier run stopped."""
        self._used += record.used
        self._noise = record.noise
        self._photo_way = record.photo_way
        self._branches = record.branches
        self._reference.milliseconds.extend(record.milliseconds)
        self._taken, self._timed = self._used, len(self._reference.milliseconds)
        for candidate, part in zip(self.candidates, record.candidates, strict=True):
            candidate.restore(part, self._tolerance(candidate))
        self._keep_worst(record.shown)

    def report(self, seconds: float) -> Report:
        """Everything that was found, after the last batch."""
        milliseconds = median(self._reference.milliseconds)
        network, stored = self._reference.deployable, self._reference.path
        shown = sorted(self._shown, key=lambda each: (-each[0], each[1]))
        return Report(
            bundle=self._bundle.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            facts=self._facts(),
            labels=self._bundle.labels,
            colours=self._bundle.colours,
            samples=SampleFacts(self._samples.origin, self._used, tuple(self._samples.skipped)),
            noise=self._noise,
            milliseconds=milliseconds,
            results=with_violations(
                (
                    entry
                    if isinstance(entry, ArtifactResult)
                    else entry.result(milliseconds, self._photo_way)
                    for entry in self._entries
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
            shown=tuple(self._with_image(picture, index) for _, index, picture in shown),
        )

    def _with_image(self, picture: ShownPicture, index: int) -> ShownPicture:
        """Read the photo again of a picture that an earlier run has judged."""
        if picture.image.size:
            return picture
        empty = np.zeros(self._bundle.mask_shape, np.uint8)
        image = as_rgb(self._samples.read(index).image)
        alone = shown_picture(picture.name, image, empty, {})
        return replace(picture, image=alone.image)

    def _facts(self) -> dict[str, str]:
        origin = self._reference.origin
        return facts_of(self._bundle) | ({"Reference": origin} if origin else {})

    def _tolerance(self, candidate: Candidate) -> Tolerance:
        return tolerance_for(_row(candidate), self._noise, self._given.rows)

    def _measure_noise(self) -> None:
        if any(_row(candidate)[1] == "float16" for candidate in self.candidates):
            self._noise = self._reference.noise()

    def _show(
        self,
        batch: list[Sample],
        references: list[Outputs],
        masks: list[dict[int, SmallMask]],
        shares: list[float],
    ) -> None:
        """Keep the pictures with the largest errors, as many as the page shows."""
        fresh = []
        for position, sample in enumerate(batch):
            mask = references[position].small_mask
            picture = shown_picture(sample.name, as_rgb(sample.image), mask, masks[position])
            fresh.append((shares[position], sample.index, picture))
        self._keep_worst(fresh)

    def _keep_worst(self, fresh: Iterable[tuple[float, int, ShownPicture]]) -> None:
        size = bytes_of_shown(self._bundle.mask_shape, len(self._entries))
        room = max(1, min(SHOWN, SHOWN_BYTES // size))
        everything = [*self._shown, *fresh]
        self._shown = heapq.nlargest(room, everything, key=lambda each: (each[0], -each[1]))


def _row(candidate: Candidate) -> Row:
    artifact = candidate.artifact
    return row_of(artifact.format, artifact.precision, candidate.opener.runtime)


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
