"""Divide samples into batches that fit into memory."""

import math
from collections.abc import Iterator

from export.bundle import Bundle
from validate.images.reading import MODES
from validate.images.samples import Sample, Samples

BATCH_BYTES = 64 << 20
"""Bytes that the pictures and PyTorch's outputs of one batch may take."""
STEP = 16
"""Pictures in a batch where there are several batches: an interruption loses no more."""


def fits_one_batch(samples: Samples, bundle: Bundle) -> bool:
    """Tell whether all samples and PyTorch's outputs fit into memory together."""
    return len(samples) <= _most(bundle)


def batches(samples: Samples, bundle: Bundle) -> Iterator[list[Sample]]:
    """Yield the samples that can be read, in one batch where they fit and else in several."""
    size = len(samples) if fits_one_batch(samples, bundle) else min(STEP, _most(bundle))
    batch: list[Sample] = []
    for sample in samples:
        batch.append(sample)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _most(bundle: Bundle) -> int:
    return max(1, BATCH_BYTES // _bytes_of_picture(bundle))


def _bytes_of_picture(bundle: Bundle) -> int:
    picture = math.prod(bundle.contract.shape)
    if bundle.contract.channels not in MODES:
        picture *= 4  # not bytes but float32
    masks = (4 + len(bundle.artifacts)) * math.prod(bundle.mask_shape)
    return picture + masks + 4 * math.prod(bundle.shape)
