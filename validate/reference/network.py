"""What the artifacts are held against: PyTorch's own outputs on the samples.

Computed    the network itself, built from its checkpoint (here)
Stored      what it computed earlier, from a file (validate.reference.stored)
"""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np

from export.bundle import MANIFEST, Bundle
from models.common.hashing import sha256_of
from models.custom.option import NamedModule
from models.deployable import Deployable
from models.errors import InputError
from models.specification import Choices, Specification
from validate.images.reading import Picture
from validate.images.samples import Sample
from validate.metadata.checkpoint_labels import require_checkpoint_labels
from validate.metrics.float16_noise import Noise, float16_noise
from validate.reference.source_code import require_named_again, require_same_files
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

NOISE_PICTURES = 2


class Reference(Protocol):
    """PyTorch's outputs, and what rounding to float16 does to them."""

    @property
    def deployable(self) -> Deployable | None:
        """The network; None where only its outputs are there."""
        ...

    @property
    def origin(self) -> str | None:
        """Where the outputs come from, when they were not computed here."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that the outputs are read from, when they were not computed here."""
        ...

    @property
    def milliseconds(self) -> list[float]:
        """How long each picture took so far; none where nothing is computed."""
        ...

    def outputs(self, sample: Sample) -> Outputs:
        """What PyTorch makes of `sample`; InputError where that is of no use."""
        ...

    def noise(self) -> Noise | None:
        """The noise of float16 on the first pictures that `outputs` was asked for."""
        ...


class Computed:
    """The network, run on each sample."""

    origin: str | None = None
    path: Path | None = None

    def __init__(self, deployable: Deployable):
        self.deployable: Deployable = deployable
        self.milliseconds: list[float] = []
        self._first: list[tuple[Picture, Outputs]] = []
        self._noise: list[Noise | None] = []

    def outputs(self, sample: Sample) -> Outputs:
        """Logits and mask of `sample`. Raises InputError where a logit is NaN or infinite."""
        started = time.perf_counter()
        outputs = Eager(self.deployable).run(sample.image)
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        if not np.isfinite(outputs.logits).all():
            raise InputError(
                f"PyTorch itself gives NaN or infinite logits for {sample.name}: "
                "the checkpoint cannot be judged, nor used."
            )
        if len(self._first) < NOISE_PICTURES:
            self._first.append((sample.image, outputs))
        return outputs

    def noise(self) -> Noise | None:
        """Measured once, on the first pictures; see `validate.metrics.float16_noise`."""
        if not self._noise:
            self._noise.append(float16_noise(self.deployable, self._first))
        return self._noise[0]


def load_reference(
    bundle: Bundle,
    folder: Path,
    checkpoint: Path | None = None,
    module: NamedModule | None = None,
) -> Deployable:
    """Build the network of `bundle` again from its checkpoint, as it was read for the export.

    Raises InputError when the checkpoint is missing, is another file, or no longer builds
    the network that the bundle describes, and when `module` is not the code of the export.
    """
    from models.load import load_network, recognise_checkpoint

    require_named_again(bundle, module)
    source = bundle.source
    path = checkpoint or folder / source.path
    if not path.exists():
        raise InputError(
            f"The checkpoint {source.file} of this bundle is not at {path}: "
            "say where it lies with --checkpoint."
        )
    if path.is_file():
        _require_same(sha256_of(path), bundle, path)
    choices = Choices(
        source.encoder, source.interpolation, source.padding, source.branch, source.activation
    )
    recognised = recognise_checkpoint(
        path, weights=source.weights, choices=choices, labels=bundle.labels, module=module
    )
    if recognised.own is not None:
        require_same_files(bundle, recognised.own.ran.files)
    _require_same(recognised.checkpoint.sha256, bundle, path)
    if _plain(recognised.specification) != _plain(bundle.specification):
        raise InputError(
            f"{path.name} is now recognised as {recognised.specification.title}, and not as the "
            f"network that {folder / MANIFEST} describes: export the bundle again."
        )
    require_checkpoint_labels(bundle, recognised)
    independent = bundle.specification.independent
    return Deployable(load_network(recognised), bundle.contract, independent=independent)


def _require_same(sha256: str, bundle: Bundle, path: Path) -> None:
    if sha256 != bundle.source.sha256:
        raise InputError(
            f"{path} is not the checkpoint that {bundle.name} was exported from (its SHA-256 "
            "differs from bundle.json's): give that one, or export the bundle again."
        )


def _plain(specification: Specification) -> object:
    """The specification as JSON has it; the reasons for assumed values do not matter."""
    plain = json.loads(json.dumps(asdict(specification)))
    del plain["assumed"]
    return plain
