"""What the artifacts are held against: PyTorch's own outputs on the samples.

Computed    the network itself, built from its checkpoint (here)
Stored      what it computed earlier, from a file (validate.reference.stored)
"""

import time
from typing import Protocol

import numpy as np

from models.deployable import Deployable
from models.errors import InputError
from validate.images.reading import Picture
from validate.images.samples import Sample
from validate.metrics.float16_noise import Noise, float16_noise
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
