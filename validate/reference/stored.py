"""Read PyTorch's outputs from a file, so that a bundle is judged without its checkpoint.

The file is a zip archive that `numpy.load` opens too: `000000.logits` float32 `(C, H, W)` as
PyTorch gave them, to the bit, and `000000.mask` `(H, W)` for each picture, or `(C, H, W)` where
channels are independent, in uint8 (uint16 for more than 256 classes), the same as
`probe.000000.logits` for each probe (`validate.parity.probes`), and `reference.json`, which says of
which network and on which pixels (`reference.schema.json`). No pickles are written or
read. Logits are stored as they are: deflating them saves a tenth of the size for 17 ms a picture.
Pictures are written as they come and read when they are asked for, so that memory does not grow
with their number.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.bundle import Bundle
from export.schema import require_valid
from models.common.json_reader import MOST_BYTES, parse_json
from models.common.paths import require_no_pointer
from models.common.zip_entry import ZIP_DAMAGE, read_entry
from models.errors import InputError
from validate.images.arrays import npy_array
from validate.images.samples import Sample, Samples
from validate.metrics.float16_noise import Noise
from validate.runtimes import Outputs, small_type

SCHEMA = 2
SCHEMA_FILE = Path(__file__).with_name("reference.schema.json")
DESCRIPTION = "reference.json"
REMEDY = "Write it again with --write-reference, or copy the whole file."
MAX_HEADER = 4096
WHEREABOUTS = ("file", "path", "sha256", "size", "container")
MEANINGS = {
    "checkpoint": "another checkpoint",
    "reading": "other choices in reading the checkpoint",
    "specification": "another network",
    "contract": "another input size or normalisation",
    "activation": "another activation",
}


def identity_of(bundle: Bundle) -> dict[str, Any]:
    """Return what decides PyTorch's outputs on given pixels, as JSON has it."""
    source, specification = asdict(bundle.source), asdict(bundle.specification)
    del specification["assumed"]  # reasons, which change nothing
    identity = {
        "checkpoint": source["sha256"],
        "reading": {key: value for key, value in source.items() if key not in WHEREABOUTS},
        "specification": specification,
        "contract": asdict(bundle.contract),
        "activation": bundle.activation,
    }
    plain: dict[str, Any] = json.loads(json.dumps(identity))
    return plain


def pixels_sha256(sample: Sample) -> str:
    """Return the SHA-256 of the picture as the network takes it."""
    return hashlib.sha256(np.ascontiguousarray(sample.image).data).hexdigest()


def entry_names(index: int, kind: str = "") -> tuple[str, str]:
    """Return the names of the logits and of the mask of picture or "probe." `index`."""
    return f"{kind}{index:06}.logits.npy", f"{kind}{index:06}.mask.npy"


class StoredReference:
    """Give what PyTorch computed when the file was written."""

    deployable = None

    def __init__(self, path: Path, archive: zipfile.ZipFile, bundle: Bundle):
        self.milliseconds: list[float] = []
        self.path: Path | None = path
        self._path, self._archive, self._shape = path, archive, bundle.shape[1:]
        self._mask = bundle.mask_shape
        document = self._described(bundle)
        self._skipped = frozenset(document["skipped"])
        self._stored: dict[str, dict[str, int]] = {}
        for index, picture in enumerate(document["pictures"]):
            self._stored.setdefault(picture["name"], {})[picture["sha256"]] = index
        self._probes = {each["sha256"]: index for index, each in enumerate(document["probes"])}
        self._probe_noise = [
            each["noise"] and Noise(**each["noise"]) for each in document["probes"]
        ]
        self._noise = Noise(**document["noise"]) if document["noise"] else None
        self._versions: Mapping[str, str] = document["versions"]
        self.origin: str | None = (
            f"{path.name}: PyTorch's outputs of {document['created']}, "
            f"by torch {self._versions.get('torch', '?')}; the way from photo to mask needs the "
            "network itself and was not run"
        )

    def outputs(self, sample: Sample) -> Outputs:
        """Return the stored logits and mask of `sample`.

        Raises InputError when none are stored for its pixels, or the file is damaged there.
        """
        return self._outputs(sample, entry_names(self._index_of(sample)))

    def probe(self, sample: Sample) -> Outputs | None:
        """Return the stored outputs of a probe; None where there are none. Raises InputError."""
        index = self._probes.get(pixels_sha256(sample))
        return None if index is None else self._outputs(sample, entry_names(index, "probe."))

    def probe_noise(self, sample: Sample) -> Noise | None:
        """Return the noise of a probe that was measured when the file was written."""
        return self._probe_noise[self._probes[pixels_sha256(sample)]]

    def noise(self) -> Noise | None:
        """Return the noise that was measured when the file was written."""
        return self._noise

    def require_same(self, samples: Samples) -> None:
        """Raise InputError unless the names of `samples` are those the file was written for."""
        names = {path.name for path in samples.paths}
        missing = sorted(self._stored.keys() - names)
        extra = sorted(names - self._stored.keys() - self._skipped)
        if missing:
            raise InputError(
                f"{self._path} was written for {_and_more(missing)}, which {samples.origin} does "
                "not hold: give the same photos, or write the reference again."
            )
        if extra:
            raise InputError(
                f"{self._path} has no outputs for {_and_more(extra)} of {samples.origin}: "
                "give the same photos, or write the reference again."
            )

    def _outputs(self, sample: Sample, names: tuple[str, str]) -> Outputs:
        logits, mask = (self._array(name) for name in names)
        typed = logits.dtype == "<f4" and mask.dtype == small_type(self._shape[0])
        if not typed or not np.isfinite(logits).all():
            raise self._damaged(f"the arrays of {sample.name} are not finite logits and a mask")
        if logits.shape != self._shape or mask.shape != self._mask:
            raise self._damaged(f"the arrays of {sample.name} have other shapes than the logits")
        return Outputs(logits.astype(np.float32), mask.astype(np.int32))

    def _index_of(self, sample: Sample) -> int:
        known = self._stored.get(sample.name)
        if known is None:
            raise InputError(
                f"{self._path} has no outputs for {sample.name}, which could not be read when it "
                "was written: write the reference again."
            )
        index = known.get(pixels_sha256(sample))
        if index is None:
            raise InputError(
                f"{sample.name} has other pixels than when {self._path} was written (with Pillow "
                f"{self._versions.get('pillow', '?')}): give the same photo, or write the "
                "reference again."
            )
        return index

    def _described(self, bundle: Bundle) -> dict[str, Any]:
        try:
            document: dict[str, Any] = parse_json(self._read(DESCRIPTION, MOST_BYTES))
        except ValueError as error:
            raise self._damaged(f"its {DESCRIPTION} is not JSON: {error}") from None
        require_valid(document, SCHEMA_FILE, self._path, "a stored reference", REMEDY)
        wanted = identity_of(bundle)
        for key, meaning in MEANINGS.items():
            if document["network"][key] != wanted[key]:
                raise InputError(
                    f"{self._path} does not belong to {bundle.name}: it was written for {meaning} "
                    f"(bundle {document['bundle']}). Write it for this bundle with "
                    "--write-reference."
                )
        return document

    def _array(self, name: str) -> NDArray[Any]:
        channels, rows, columns = self._shape
        data = self._read(name, channels * rows * columns * 4 + MAX_HEADER)
        try:
            return npy_array(data)
        except ValueError:
            raise self._damaged(f"{name} is not an array") from None

    def _read(self, name: str, most: int) -> bytes:
        """Return a whole entry, of at most `most` bytes, its checksum checked."""
        try:
            return read_entry(self._archive, self._archive.getinfo(name), most)
        except ValueError as error:
            raise self._damaged(f"{name} cannot be read in it, {error}") from None
        except ZIP_DAMAGE:
            raise self._damaged(f"{name} cannot be read in it") from None

    def _damaged(self, how: str) -> InputError:
        return InputError(f"{self._path} is damaged or no stored reference: {how}. {REMEDY}")


@contextmanager
def stored_reference(path: Path, bundle: Bundle, samples: Samples) -> Iterator[StoredReference]:
    """Open the reference in `path` for `bundle` on `samples`.

    Raises InputError when it is missing, cut off, of another version, written for another
    network, or for other photos.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise zipfile.BadZipFile
        require_no_pointer(path)
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Name a file that --write-reference wrote."
        ) from None
    except ZIP_DAMAGE:
        raise InputError(f"{path} is cut off or no stored reference. {REMEDY}") from None
    with archive:
        stored = StoredReference(path, archive, bundle)
        stored.require_same(samples)
        yield stored


def _and_more(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
