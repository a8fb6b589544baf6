"""Which bytes a verdict is about: the SHA-256 of everything that a parity run judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from export.bundle import MANIFEST, Bundle, BundleFile
from models.common.hashing import sha256_of
from validate.images.samples import Samples


@dataclass(frozen=True)
class Provenance:
    """Hold what a run judged, by size and SHA-256.

    Attributes:
        bundle: SHA-256 of bundle.json.
        checkpoint: SHA-256 of the checkpoint that PyTorch's outputs come from.
        reference: SHA-256 of the file with stored outputs; None where PyTorch itself ran.
        files: of every artifact, their paths relative to the bundle.
        samples: the pictures that were used, by their names.
    """

    bundle: str
    checkpoint: str
    reference: str | None
    files: tuple[BundleFile, ...]
    samples: tuple[BundleFile, ...]


def provenance_of(
    bundle: Bundle, folder: Path, samples: Samples, reference: Path | None = None
) -> Provenance:
    """Return what a run on the bundle in `folder` has judged, once all of `samples` were read.

    The hashes of the bundle's files are those of bundle.json, which were checked, or written,
    before the run.
    """
    return Provenance(
        bundle=sha256_of(folder / MANIFEST),
        checkpoint=bundle.source.sha256,
        reference=None if reference is None else sha256_of(reference),
        files=tuple(file for artifact in bundle.artifacts for file in artifact.files),
        samples=tuple(_used(samples)),
    )


def _used(samples: Samples) -> Iterator[BundleFile]:
    skipped = {each.name for each in samples.skipped}
    for path in samples.paths:
        if path.name not in skipped and path.is_file():  # it may have gone since it was read
            yield BundleFile(path.name, path.stat().st_size, sha256_of(path))
