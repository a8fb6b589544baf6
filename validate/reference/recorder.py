"""Write what PyTorch computes into a file, while a bundle is judged."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.bundle import MANIFEST, TOOL, Bundle
from export.schema import require_valid
from models.common.hashing import sha256_of
from models.common.zip_entry import ZIP_DAMAGE
from models.deployable import Deployable
from models.errors import InputError
from validate.atomic import placed
from validate.images.samples import Sample, Samples
from validate.metrics.float16_noise import Noise
from validate.reference.network import ComputedReference
from validate.reference.stored import (
    DESCRIPTION,
    REMEDY,
    SCHEMA,
    SCHEMA_FILE,
    entry_names,
    identity_of,
    pixels_sha256,
)
from validate.runtimes import Outputs


class RecordedReference:
    """Give a computed reference's outputs, and write them into a file."""

    origin: str | None = None
    path: Path | None = None

    def __init__(self, path: Path, computed: ComputedReference, archive: zipfile.ZipFile):
        self.deployable: Deployable = computed.deployable
        self.milliseconds = computed.milliseconds
        self._path, self._computed, self._archive = path, computed, archive
        self._pictures: list[dict[str, str]] = []
        self._probes: list[dict[str, Any]] = []

    def outputs(self, sample: Sample) -> Outputs:
        """Return what PyTorch computes, written before it is returned."""
        outputs = self._computed.outputs(sample)
        self._write_outputs(entry_names(len(self._pictures)), outputs)
        self._pictures.append({"name": sample.name, "sha256": pixels_sha256(sample)})
        return outputs

    def noise(self) -> Noise | None:
        """Return the noise as the network itself measures it."""
        return self._computed.noise()

    def probe(self, sample: Sample) -> Outputs | None:
        """Return what PyTorch makes of a probe, written with its noise; None where it is no use."""
        outputs = self._computed.probe(sample)
        if outputs is not None:
            self._write_outputs(entry_names(len(self._probes), "probe."), outputs)
            noise = self.probe_noise(sample)
            entry = {"name": sample.name, "sha256": pixels_sha256(sample)}
            self._probes.append({**entry, "noise": None if noise is None else asdict(noise)})
        return outputs

    def probe_noise(self, sample: Sample) -> Noise | None:
        """Return the noise of a probe as the network itself measures it."""
        return self._computed.probe_noise(sample)

    def finish(self, bundle: Bundle, folder: Path, samples: Samples) -> None:
        """Write the description, after the last picture."""
        noise = self.noise()
        document = {
            "schema": SCHEMA,
            "tool": TOOL,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "bundle": bundle.name,
            "bundle_sha256": sha256_of(folder / MANIFEST),
            "network": identity_of(bundle),
            "noise": None if noise is None else asdict(noise),
            "versions": {name: version(name) for name in ("torch", "numpy", "pillow")},
            "pictures": self._pictures,
            "probes": self._probes,
            "skipped": sorted({each.name for each in samples.skipped}),
        }
        require_valid(document, SCHEMA_FILE, self._path, "a stored reference", REMEDY)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        self._archive.writestr(DESCRIPTION, text.encode("utf-8", "backslashreplace"))

    def _write_outputs(self, names: tuple[str, str], outputs: Outputs) -> None:
        self._write(names[0], outputs.logits.astype("<f4"), zipfile.ZIP_STORED)
        self._write(names[1], outputs.small_mask, zipfile.ZIP_DEFLATED)

    def _write(self, name: str, array: NDArray[Any], compression: int) -> None:
        entry = zipfile.ZipInfo(name)
        entry.compress_type = compression
        with _explained(self._path), self._archive.open(entry, "w") as file:
            np.save(file, array, allow_pickle=False)


@contextmanager
def recorded_reference(
    path: Path, computed: ComputedReference, bundle: Bundle, folder: Path, samples: Samples
) -> Iterator[RecordedReference]:
    """Give a reference that is in `path` once the block has ended well, and else left no trace.

    Raises InputError when `path` cannot be written, or is something else than a reference.
    """
    _require_replaceable(path)
    with placed([path]) as (part,):
        with _explained(path):
            archive = zipfile.ZipFile(part, "w")
        with archive:
            recording = RecordedReference(path, computed, archive)
            yield recording
            with _explained(path):
                recording.finish(bundle, folder, samples)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"The reference {path} cannot be written: {error.strerror}.") from None


def _require_replaceable(path: Path) -> None:
    if not path.exists():
        return
    if path.is_file():  # a pipe would be waited for
        with suppress(*ZIP_DAMAGE), zipfile.ZipFile(path) as archive:
            if DESCRIPTION in archive.namelist():
                return
    raise InputError(
        f"{path} exists and is no stored reference, so that it is not replaced: choose another "
        "name, or remove it."
    )
