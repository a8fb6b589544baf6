"""Hold what a parity run found: plain data that `parity.json` stores and every report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.common.text import counted
from validate.images.reading import RGBImage
from validate.images.samples import Skipped
from validate.metrics.comparison import ClassOverlap, Metrics
from validate.metrics.float16_noise import Noise
from validate.metrics.mask_quality import MaskQuality
from validate.metrics.tolerances import Tolerance, TolerancesFile
from validate.results.drift import Drift
from validate.results.provenance import Provenance
from validate.results.ranges import Ranges
from validate.runtimes import SmallMask

SCHEMA = 1
TOOL = "segport"

Status = Literal["passed", "failed", "not run"]
Verdict = Literal["passed", "failed", "not all judged", "nothing judged"]


@dataclass(frozen=True)
class PictureResult:
    """Hold one artifact's figures on one picture."""

    name: str
    metrics: Metrics


@dataclass(frozen=True)
class ArtifactResult:
    """Hold the verdict on one artifact in one runtime.

    `reasons` say why it failed or was not run. `worst` names the picture with the largest
    error. `milliseconds` is the median time of a picture, `ratio` that to PyTorch's. All of
    these, and the metrics, are None where nothing could be measured. `quality` is that of a
    compressed file's masks, whose other figures are beside the network with its own weights.
    """

    format: str
    path: str
    precision: str
    size: int
    runtime: str
    status: Status
    reasons: tuple[str, ...] = ()
    tolerance: Tolerance | None = None
    total: Metrics | None = None
    worst: PictureResult | None = None
    pictures: tuple[PictureResult, ...] = ()
    milliseconds: float | None = None
    ratio: float | None = None
    quality: MaskQuality | None = None

    def only_masks_fail(self, labels: Sequence[str]) -> bool:
        """Return whether it computes what it should, and its masks alone are not good enough."""
        quality = self.quality
        if quality is None or not quality.proven:
            return False
        return set(self.reasons) <= set(quality.violations(labels))


@dataclass(frozen=True)
class SampleFacts:
    """Name the pictures that the bundle was judged on."""

    origin: str
    used: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class ShownPicture:
    """Hold a picture for the page: `image (H, W, 3)`, PyTorch's mask, each result's mask.

    A mask is `(H, W)`, or `(C, H, W)` where channels are independent. `masks` maps the index of a
    result in the report to its mask, `differs (H, W)` to the pixels whose label is not PyTorch's,
    and `errors (H, W)` to error levels (see `validate.results.thumbnails`); results without such
    a pixel are left out of both. `proportions` is width over height of the photo.
    """

    name: str
    image: RGBImage
    mask: SmallMask
    masks: Mapping[int, SmallMask]
    differs: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)
    errors: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)
    proportions: float = 1.0


@dataclass(frozen=True)
class BranchResult:
    """Hold one branch in PyTorch: its median time, and its masks against the deepest's."""

    branch: str
    exported: bool
    milliseconds: float
    agreement: float
    classes: tuple[ClassOverlap, ...]


@dataclass(frozen=True)
class Branches:
    """Hold every branch, on so many pictures; the others are compared with the `deepest`."""

    deepest: str
    pictures: int
    results: tuple[BranchResult, ...]


@dataclass(frozen=True)
class FilterEffect:
    """Hold what a filter alone does to PyTorch's masks: their agreement with the training's."""

    filter: str
    agreement: float
    classes: tuple[ClassOverlap, ...]


@dataclass(frozen=True)
class WayResult:
    """Hold one file's masks from photos shrunk as on a phone.

    `decisive_flips` against PyTorch on the same pixels; `agreement` and `classes` against
    PyTorch on the training's pixels.
    """

    path: str
    runtime: str
    decisive_flips: int
    agreement: float
    classes: tuple[ClassOverlap, ...]


@dataclass(frozen=True)
class PhotoWay:
    """Hold the comparison of both ways from photo to mask, on some photos."""

    photos: tuple[str, ...]
    phone: str
    filters: tuple[FilterEffect, ...]
    files: tuple[WayResult, ...]


@dataclass(frozen=True)
class Report:
    """Hold a whole run. `facts` describe the bundle, `machine` where it was judged; `tolerances` is
    the file that took the place of the table's rows, None where none did; `photo_way` compares
    the phone's way from photo to mask, None where PyTorch was not there or no picture had to be
    resized. `independent` says that the labels are channels, of which a pixel may have any number;
    `drift` is empty where it was not asked for; `branches` compares those of a network with deep
    supervision, and is None for any other; `ranges` is None where nothing was measured.
    `provenance` says which bytes were judged. `probes` names the pictures unlike photos that were
    judged beside the samples; `allow_unjudged` the formats whose files need not be judged.

    `milliseconds` is PyTorch's median time of a picture, None where its outputs were stored
    elsewhere. `shown` holds some pictures, the
    worst first; it is not stored in `parity.json`.
    """

    bundle: str
    created: str
    facts: Mapping[str, str]
    labels: tuple[str, ...]
    colours: tuple[str, ...]
    samples: SampleFacts
    noise: Noise | None
    milliseconds: float | None
    results: tuple[ArtifactResult, ...]
    machine: Mapping[str, str]
    seconds: float
    tolerances: TolerancesFile | None = None
    photo_way: PhotoWay | None = None
    independent: bool = False
    drift: tuple[Drift, ...] = ()
    branches: Branches | None = None
    ranges: Ranges | None = None
    provenance: Provenance | None = None
    probes: tuple[str, ...] = ()
    allow_unjudged: tuple[str, ...] = ()
    schema: int = SCHEMA
    tool: str = TOOL
    shown: tuple[ShownPicture, ...] = field(default=(), compare=False, repr=False)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Return the files that no runtime could run, and that the user has not allowed for."""
        judged = {result.path for result in self.results if result.status != "not run"}
        rest = (each for each in self.results if each.path not in judged)
        return tuple(dict.fromkeys(e.path for e in rest if e.format not in self.allow_unjudged))

    @property
    def verdict(self) -> Verdict:
        """Return "failed" if any file failed, and "passed" if all were judged or need not be.

        "nothing judged" where none was, allowed or not.
        """
        statuses = {result.status for result in self.results}
        if "failed" in statuses:
            return "failed"
        if "passed" not in statuses:
            return "nothing judged"
        return "not all judged" if self.unjudged else "passed"

    @property
    def passed(self) -> bool:
        """Return whether a command that made this report ends with exit code 0."""
        return self.verdict == "passed"

    @property
    def sentence(self) -> str:
        """Return the verdict for people."""
        if self.verdict == "nothing judged":
            return "Nothing was judged: no file of this bundle could be run here."
        judged = [result for result in self.results if result.status != "not run"]
        failed = [result for result in judged if result.status == "failed"]
        return self._failed(failed, judged) if failed else self._held(judged)

    def _held(self, judged: Sequence[ArtifactResult]) -> str:
        files = len({result.path for result in judged})
        as_pytorch = f"what PyTorch computes on {self._pictures}"
        if self.unjudged:
            first = next(each for each in self.results if each.path == self.unjudged[0])
            others = "1 other file computes" if files == 1 else f"{files} other files compute"
            return (
                f"Not proven: {', '.join(self.unjudged)} could not be judged "
                f"({first.runtime}: {first.reasons[0].rstrip('.')}); {others} {as_pytorch}."
            )
        holds = "1 file computes" if files == 1 else f"all {files} files compute"
        if any(each.quality is not None for each in judged):
            as_pytorch += ", the compressed one with its own weights"
        idle = sorted({each.path for each in self.results} - {each.path for each in judged})
        allowed = f" Not judged, as allowed: {', '.join(idle)}." if idle else ""
        return f"Parity holds: {holds} {as_pytorch}.{allowed}"

    def _failed(self, failed: Sequence[ArtifactResult], judged: Sequence[ArtifactResult]) -> str:
        first = failed[0]
        if all(each.only_masks_fail(self.labels) for each in failed):
            return (
                f"Masks are not as promised: {first.path} computes what PyTorch computes with its "
                f"weights on {self._pictures}, but {'; '.join(first.reasons)}."
            )
        reason = f"({first.runtime}): {first.reasons[0]}."
        wrong, ran = (len({result.path for result in part}) for part in (failed, judged))
        unjudged = f" Not judged: {', '.join(self.unjudged)}." if self.unjudged else ""
        if wrong == 1:
            return (
                f"Parity failed: {first.path} does not compute what PyTorch computes on "
                f"{self._pictures} {reason}{unjudged}"
            )
        return (
            f"Parity failed: {wrong} of {ran} files do not compute what PyTorch computes "
            f"on {self._pictures}. {first.path} {reason}{unjudged}"
        )

    @property
    def _pictures(self) -> str:
        pictures = counted(self.samples.used, "picture")
        return f"{pictures} and {counted(len(self.probes), 'probe')}" if self.probes else pictures
