"""Check every artifact once beside the samples: a batch, photos shrunk as on a phone, probes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from export.bundle import Artifact
from export.metadata import FIXED_BATCH
from models.deployable import Deployable
from validate.metrics.tolerances import Tolerance
from validate.parity.artifact import ArtifactFindings, ArtifactRun, Done
from validate.parity.execution import RunFailure
from validate.parity.picture import PictureRun
from validate.parity.probes import probe_tolerance
from validate.parity.resize_filters import ResizeComparison
from validate.reference.network import Reference
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

BATCH = 2
"""Pictures in a batch: with two, neither can be given the other's logits unseen."""


@dataclass(frozen=True)
class Checks:
    """Hold what the checks of all artifacts share: photos and probes beside the samples."""

    reference: Reference
    photos: ResizeComparison | None
    probes: tuple[PictureRun, ...]

    def judge(
        self,
        run: ArtifactRun,
        pictures: Sequence[PictureRun],
        tolerance: Tolerance,
        done: Done,
        *,
        fixed: bool,
    ) -> ArtifactFindings:
        """Judge an artifact on `pictures` and by every check.

        Where it takes batches, the last pictures are run as one instead of alone. A `fixed`
        tolerance is not widened for probes.
        """
        batched = promises_batches(run.artifact)
        some = batched and len(pictures) > BATCH
        alone, together = (pictures[:-BATCH], pictures[-BATCH:]) if some else (pictures, ())
        found = run.judge(alone, tolerance, done)
        outputs, reason = None, None
        if batched and run.failure is None:
            batch = together or (*pictures[:1], *self.probes[-1:])
            outputs, reason = self._run_batch(run, batch, tolerance)
        if outputs is None or not together:
            found += run.judge(together, tolerance, done)
        else:
            found += run.compared(together, outputs, tolerance, done)
        reasons = [*filter(None, [reason])]
        if run.failure is None:
            reasons += [*self._photo_failures(run, tolerance)]
            reasons += [*self._probe_departures(run, tolerance, fixed=fixed)]
        return found + ArtifactFindings(reasons=tuple(reasons), failure=run.failure)

    def _run_batch(
        self, run: ArtifactRun, batch: Sequence[PictureRun], tolerance: Tolerance
    ) -> tuple[list[Outputs] | None, str | None]:
        """Return what an artifact makes of a batch, or None and how it departs from PyTorch.

        A network that mixes the pictures of a batch, or takes none, is no fault of its file.
        """
        images = [picture.sample.image for picture in batch]
        made = run.execution.run_batch(f"a batch of {len(batch)} pictures", images)
        reason = _batch_departure(batch, made, tolerance)
        if reason is None and not isinstance(made, RunFailure):
            return made, None
        network = self.reference.deployable
        if network is not None:
            own = _own_batch(batch, network)
            reason = _batch_departure(own, made, tolerance) if own else None
        return None, reason

    def _photo_failures(self, run: ArtifactRun, tolerance: Tolerance) -> Iterator[str]:
        """Take an artifact from photo to mask; yield why it does not run on a photo."""
        if self.photos is None:
            return
        made = [run.execution.run("a photo", image) for image in self.photos.pixels]
        outputs = [each for each in made if isinstance(each, Outputs)]
        if len(outputs) == len(made):
            self.photos.judge(run.artifact.path, run.runtime, outputs, tolerance)
        yield from (each.reason for each in made if isinstance(each, RunFailure))

    def _probe_departures(
        self, run: ArtifactRun, tolerance: Tolerance, *, fixed: bool
    ) -> Iterator[str]:
        for probe in self.probes:
            made = run.execution.run(probe.sample.name, probe.sample.image)
            if isinstance(made, RunFailure):
                yield made.reason
                continue
            departure = probe.departure(made, tolerance)
            if departure and not fixed:
                noise = self.reference.probe_noise(probe.sample)
                wider = probe_tolerance(tolerance, run.row, noise)
                departure = probe.departure(made, wider)
            if departure:
                yield departure


def promises_batches(artifact: Artifact) -> bool:
    """Return whether a file takes batches of any size, as the bundle says."""
    takes_some = artifact.format in ("torchscript", "onnx")
    return takes_some and not any(FIXED_BATCH in note for note in artifact.notes)


def _batch_departure(
    batch: Sequence[PictureRun], made: Sequence[Outputs] | RunFailure, tolerance: Tolerance
) -> str | None:
    if isinstance(made, RunFailure):
        return made.reason
    pairs = zip(batch, made, strict=True)
    found = (picture.departure(outputs, tolerance) for picture, outputs in pairs)
    first = next(filter(None, found), None)
    return first and f"in a batch of {len(batch)} pictures, {first}"


def _own_batch(batch: Sequence[PictureRun], network: Deployable) -> list[PictureRun] | None:
    """Return `batch` with what PyTorch makes of it at once; None where it takes no batch."""
    samples = [picture.sample for picture in batch]
    try:
        expected = Eager(network).run_batch([sample.image for sample in samples])
    except Exception:  # whatever the network's own code raises
        return None
    pairs = zip(samples, expected, strict=True)
    return [PictureRun(*pair, batch[0].scale) for pair in pairs]
