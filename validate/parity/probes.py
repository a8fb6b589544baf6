"""Pictures unlike any photo, judged beside the samples.

black     what divides by a picture's brightness or contrast, or takes its logarithm
white     the largest values, at every pixel
mixed     a quarter each of grey levels, saturated colours, binary noise and uniform noise: what
          clips or rounds where no photo reaches

A network may be more sensitive on them than on photos. So where a file departs on one, the
rounding noise of the network itself is measured there, and what is tolerated grows by as much as
that noise does.
"""

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.specification import InputContract
from validate.images.samples import Sample
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import Row, Tolerance, tolerance_for

SEED = 12
TILE = 16
"""Side of a patch of one grey level or colour, in pixels."""
WIDEST = (2e-3, 70.0, 1e-2)
"""Largest error, PSNR and shared number that are tolerated on any probe, float32 or not: on one
colour, norms divide by a spread of next to nothing, and the last digits of a sum are seen."""


def probe_pictures(contract: InputContract) -> tuple[Sample, ...]:
    """Return the probes `(H, W, C)`, uint8, in the network's input size; always the same."""
    shape = contract.height, contract.width, contract.channels
    return (
        Sample("a black picture", np.zeros(shape, np.uint8)),
        Sample("a white picture", np.full(shape, 255, np.uint8)),
        Sample("greys, saturated colours and noise", _mixed(*shape)),
    )


def probe_tolerance(tolerance: Tolerance, row: Row, noise: Noise | None) -> Tolerance:
    """Return `tolerance`, widened where rounding moves a probe further than the samples.

    `noise` is that of the probe, None where rounding ruins it.
    """
    own = tolerance_for(row, noise)
    return replace(
        tolerance,
        max_error=max(tolerance.max_error, own.max_error, WIDEST[0]),
        min_psnr=min(tolerance.min_psnr, own.min_psnr, WIDEST[1]),
        max_shared=max(tolerance.max_shared, WIDEST[2]),
    )


def _mixed(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return grey levels and saturated colours above, binary and uniform noise below."""
    rng = np.random.default_rng(SEED)
    above, left = height // 2, width // 2
    picture = rng.integers(0, 256, (height, width, channels), np.uint8)
    rows, columns = np.indices((height, width)) // TILE
    patch = rows * -(-width // TILE) + columns
    levels = np.linspace(0, 255, 17).astype(np.uint8)
    picture[:above, :left] = levels[patch[:above, :left] % len(levels)][..., None]
    picture[:above, left:] = _colours(channels)[patch[:above, left:] % 2 ** min(channels, 3)]
    noise = rng.integers(0, 2, (height - above, left, channels), np.uint8)
    picture[above:, :left] = 255 * noise
    return picture


def _colours(channels: int) -> NDArray[np.uint8]:
    """Return every colour whose channels are 0 or 255, `(K, channels)`; three channels repeat."""
    corners = np.array(list(itertools.product((0, 255), repeat=min(channels, 3))), np.uint8)
    return corners[:, np.arange(channels) % corners.shape[1]]
