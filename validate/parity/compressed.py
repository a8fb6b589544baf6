"""A compressed file in one runtime: judged beside the network with its weights, and by its masks.

does it compute what it should?    beside PyTorch with the file's own weights, by the usual
                                   limits, probes included: what is off is a fault of the file
is it good enough?                 its masks beside PyTorch's own, by the least IoU it promises
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from export.bundle import Artifact, Bundle
from models.common.text import first_line
from models.deployable import Deployable
from validate.metrics.comparison import Comparison
from validate.metrics.mask_quality import MaskCounts, MaskQuality, count_masks, overlaps
from validate.metrics.tolerances import Tolerance
from validate.parity.artifact import ArtifactFindings, ArtifactRun, Done
from validate.parity.checks import Checks
from validate.parity.execution import RunFailure
from validate.parity.picture import PictureRun
from validate.reference.compressed import compressed_network
from validate.reference.network import ComputedReference
from validate.results.parity import ArtifactResult, PhotoWay
from validate.runtimes import Opener, Outputs

NO_NETWORK = "a compressed file is judged beside the network itself, and only outputs are stored"


class CompressedRun(ArtifactRun):
    """Run a compressed file; `network` is PyTorch's own, None where only its outputs are there."""

    def __init__(
        self,
        index: int,
        artifact: Artifact,
        opener: Opener,
        folder: Path,
        bundle: Bundle,
        network: Deployable | None,
    ):
        super().__init__(index, artifact, opener, folder, bundle)
        self._counts: MaskCounts | None = None
        self._own: ComputedReference | None = None
        if network is None:
            self.failure = RunFailure(NO_NETWORK, out_of_scope=True)
            return
        try:
            self._own = ComputedReference(compressed_network(network, bundle, folder, artifact))
        except Exception as error:  # whatever reading the file raises is a verdict on it
            self.failure = RunFailure(f"its weights cannot be read: {first_line(error, 300)}")

    def judge(
        self, pictures: Sequence[PictureRun], tolerance: Tolerance, done: Done
    ) -> ArtifactFindings:
        """Compare what it makes of `pictures` with the network of its weights, and with PyTorch."""
        if self._own is None:
            return ArtifactFindings(failure=self.failure)
        beside = [_BesideOwn(each, self._own.outputs(each.sample)) for each in pictures]
        findings = super().judge(beside, tolerance, done)
        counts = [each.counts for each in beside if each.counts is not None]
        return replace(findings, masks=sum(counts[1:], counts[0]) if counts else None)

    def checks(self, checks: Checks) -> Checks:
        """Return `checks` with the probes as the network with its weights answers them."""
        own = self._own
        if own is None:
            return replace(checks, photos=None, probes=())
        made = [(each, own.probe(each.sample)) for each in checks.probes]
        probes = tuple(
            PictureRun(each.sample, outputs, each.scale)
            for each, outputs in made
            if outputs is not None
        )
        return Checks(own, None, probes)

    def add(self, findings: ArtifactFindings) -> None:
        """Add what a batch showed, its masks too."""
        super().add(findings)
        if findings.masks is not None:
            self._counts = self._counts + findings.masks if self._counts else findings.masks

    def result(
        self, tolerance: Tolerance, reference_milliseconds: float | None, way: PhotoWay | None
    ) -> ArtifactResult:
        """Return the verdict on all pictures so far, whose reasons say which of the two failed."""
        found = super().result(tolerance, reference_milliseconds, way)
        compression = self.artifact.compression
        if compression is None or self._counts is None or found.total is None:
            return found
        quality = MaskQuality(
            compression.form,
            compression.min_iou,
            overlaps(self._counts.areas),
            overlaps(self._counts.boundaries),
            proven=found.status == "passed",
        )
        reasons = tuple(f"beside PyTorch with its own weights, {each}" for each in found.reasons)
        reasons += quality.violations(self._labels)
        return replace(
            found, status="failed" if reasons else "passed", reasons=reasons, quality=quality
        )


class _BesideOwn(PictureRun):
    """One picture, with what the network of the file's weights makes of it."""

    def __init__(self, plain: PictureRun, expected: Outputs):
        super().__init__(plain.sample, expected, plain.scale)
        self.counts: MaskCounts | None = None
        self._plain = plain

    def compare(self, index: int, actual: Outputs, tolerance: Tolerance) -> Comparison:
        """Compare with that network; count the masks, and show them, beside PyTorch's own."""
        self._plain.compare(index, actual, tolerance)
        self.counts = count_masks(self._plain.expected, actual)
        return super().compare(index, actual, tolerance)
