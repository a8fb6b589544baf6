"""Give what the artifacts are compared with: PyTorch's own outputs on the samples.

ComputedReference    the network itself, built from its checkpoint (here)
StoredReference      what it computed earlier, from a file (validate.reference.stored)
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from export.bundle import MANIFEST, Bundle
from models.common.hashing import sha256_of
from models.common.paths import require_no_pointer
from models.custom.in_memory import ModuleInMemory
from models.custom.option import NamedModule
from models.deployable import Deployable
from models.errors import InputError
from models.specification import Specification
from validate.images.reading import Picture
from validate.images.samples import Sample, Samples
from validate.metadata.checkpoint_labels import require_checkpoint_labels
from validate.metrics.float16_noise import Noise, float16_noise
from validate.reference.source_code import require_named_again, require_same_files
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

if TYPE_CHECKING:
    from models.load import Recognised

NOISE_PICTURES = 2
AHEAD_BYTES = 64 << 20
"""Bytes of pictures and outputs that may be kept until they are asked for."""


class Reference(Protocol):
    """Give PyTorch's outputs, and what rounding to float16 does to them."""

    @property
    def deployable(self) -> Deployable | None:
        """Return the network; None where only its outputs are there."""
        ...

    @property
    def origin(self) -> str | None:
        """Return where the outputs come from, when they were not computed here."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that the outputs are read from, when they were not computed here."""
        ...

    @property
    def milliseconds(self) -> list[float]:
        """Return how long each picture took so far; none where nothing is computed."""
        ...

    def outputs(self, sample: Sample) -> Outputs:
        """Return what PyTorch makes of `sample`. Raises InputError where that is of no use."""
        ...

    def noise(self) -> Noise | None:
        """Return the noise of float16 on the first pictures that `outputs` was asked for."""
        ...

    def probe(self, sample: Sample) -> Outputs | None:
        """Return what PyTorch makes of a picture that is no photo; None where that is of no use."""
        ...

    def probe_noise(self, sample: Sample) -> Noise | None:
        """Return the noise of float16 on such a picture, which `probe` was asked for."""
        ...


class ComputedReference:
    """Run the network on each sample."""

    origin: str | None = None
    path: Path | None = None

    def __init__(self, deployable: Deployable):
        self.deployable: Deployable = deployable
        self.milliseconds: list[float] = []
        self._first: list[tuple[Picture, Outputs]] = []
        self._noise: list[Noise | None] = []
        self._probes: dict[str, Outputs] = {}
        self._ahead: dict[int, tuple[Picture, Outputs]] = {}

    def ahead(self, samples: Samples) -> Iterator[None]:
        """Run samples before `outputs` is asked for them, a picture a step, as many as may be kept.

        These are not timed, for they are run beside other work.
        """
        left = AHEAD_BYTES
        for sample in samples:
            outputs = self._finite(sample)
            self._ahead[sample.index] = sample.image, outputs
            left -= sample.image.nbytes + outputs.logits.nbytes + outputs.mask.nbytes
            yield
            if left < 0:
                return

    def outputs(self, sample: Sample) -> Outputs:
        """Return logits and mask of `sample`. Raises InputError unless all logits are finite."""
        image, outputs = self._ahead.get(sample.index, (sample.image[:0], None))
        if outputs is None or not np.array_equal(image, sample.image):
            started = time.perf_counter()
            outputs = self._finite(sample)
            self.milliseconds.append((time.perf_counter() - started) * 1000)
        if len(self._first) < NOISE_PICTURES:
            self._first.append((sample.image, outputs))
        return outputs

    def _finite(self, sample: Sample) -> Outputs:
        outputs = Eager(self.deployable).run(sample.image)
        if not np.isfinite(outputs.logits).all():
            raise InputError(
                f"PyTorch itself gives NaN or infinite logits for {sample.name}: "
                "the checkpoint cannot be judged, nor used."
            )
        return outputs

    def noise(self) -> Noise | None:
        """Return the noise, measured once, on the first pictures: see `float16_noise`."""
        if not self._noise:
            self._noise.append(float16_noise(self.deployable, self._first))
        return self._noise[0]

    def probe(self, sample: Sample) -> Outputs | None:
        """Return logits and mask of a probe; None where a logit is NaN or infinite."""
        started = time.perf_counter()
        outputs = Eager(self.deployable).run(sample.image)
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        self._probes[sample.name] = outputs
        return outputs if np.isfinite(outputs.logits).all() else None

    def probe_noise(self, sample: Sample) -> Noise | None:
        """Return the noise of float16 on a probe."""
        return float16_noise(self.deployable, [(sample.image, self._probes[sample.name])])


def load_reference(
    bundle: Bundle,
    folder: Path,
    checkpoint: Path | None = None,
    module: NamedModule | None = None,
) -> Deployable:
    """Build the network of `bundle` again from its checkpoint, as it was read for the export.

    A module in memory takes the place of both. Raises InputError when the checkpoint is missing,
    is another file, or no longer builds the network that the bundle describes, and when `module`
    is not the code of the export, or has other weights.
    """
    from models.load import load_network

    require_named_again(bundle, module)
    if isinstance(module, ModuleInMemory):
        recognised = _given(bundle, module)
    else:
        recognised = _read(bundle, folder, checkpoint, module)
    if _plain(recognised.specification, bundle) != _plain(bundle.specification, bundle):
        raise InputError(
            f"{recognised.checkpoint.path.name} is now recognised as "
            f"{recognised.specification.title}, and not as the network that {folder / MANIFEST} "
            "describes: export the bundle again."
        )
    require_checkpoint_labels(bundle, recognised)
    independent = bundle.specification.independent
    return Deployable(load_network(recognised), bundle.contract, independent=independent)


def _given(bundle: Bundle, module: ModuleInMemory) -> Recognised:
    from models.load import recognise_module

    if hashlib.sha256(module.serialised()).hexdigest() != bundle.source.sha256:
        raise InputError(
            f"{module.option} has other weights than the one that {bundle.name} was exported from: "
            "give that one, or export the bundle again."
        )
    source = bundle.source
    return recognise_module(module, source.file, choices=source.choices, labels=bundle.labels)


def _read(
    bundle: Bundle, folder: Path, checkpoint: Path | None, module: NamedModule | None
) -> Recognised:
    from models.load import recognise_checkpoint

    source = bundle.source
    nearby = (folder / source.path, folder / source.file, Path(source.file))
    path = checkpoint or next((p for p in nearby if p.is_file() or p.is_dir()), nearby[0])
    if not path.exists():
        raise InputError(
            f"The checkpoint {source.file} of this bundle is not at {path}: "
            "say where it lies with --checkpoint."
        )
    if path.is_file():
        require_no_pointer(path)
        _require_same(sha256_of(path), bundle, path)
    recognised = recognise_checkpoint(
        path, weights=source.weights, choices=source.choices, labels=bundle.labels, module=module
    )
    if recognised.own is not None:
        require_same_files(bundle, recognised.own.ran.files)
    _require_same(recognised.checkpoint.sha256, bundle, path)
    return recognised


def _require_same(sha256: str, bundle: Bundle, path: Path) -> None:
    if sha256 != bundle.source.sha256:
        raise InputError(
            f"{path} is not the checkpoint that {bundle.name} was exported from (its SHA-256 "
            "differs from bundle.json's): give that one, or export the bundle again."
        )


def _plain(specification: Specification, bundle: Bundle) -> object:
    """Return the specification as JSON has it, without the reasons for assumed values.

    What an own module is called, and built with, is not told by one in memory.
    """
    plain = json.loads(json.dumps(asdict(specification)))
    own = bundle.source.code is not None and bundle.source.module is not None
    for name in ("assumed", *(("architecture", "arguments") if own else ())):
        del plain[name]
    return plain
