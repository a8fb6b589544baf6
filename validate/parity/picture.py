"""One picture's run: PyTorch's outputs, and every artifact's beside them."""

import numpy as np
from numpy.typing import NDArray

from validate.images.overlay import as_rgb
from validate.images.samples import Sample
from validate.metrics.comparison import Comparison, compare, measure
from validate.metrics.decision_values import Scale
from validate.metrics.tolerances import Tolerance
from validate.results.thumbnails import RankedPicture, error_levels, shown_picture
from validate.runtimes import Outputs, SmallMask


class PictureRun:
    """Hold one picture, what PyTorch makes of it, and how far each artifact is from that."""

    def __init__(self, sample: Sample, expected: Outputs):
        self.sample = sample
        self.expected = expected
        self._masks: dict[int, SmallMask] = {}
        self._errors: dict[int, NDArray[np.uint8]] = {}
        self._error = 0.0

    def compare(
        self, index: int, actual: Outputs, tolerance: Tolerance, scale: Scale
    ) -> Comparison:
        """Compare the outputs of result `index` of the report with PyTorch's, and keep its mask."""
        limits = tolerance.max_error, tolerance.mask_slack
        comparison = compare(self.expected, actual, *limits, scale)
        metrics = measure(comparison)
        error = metrics.relative_error / tolerance.max_error + metrics.decisive_flips
        self._error = max(self._error, error)
        self._masks[index] = actual.small_mask
        self._errors[index] = error_levels(self.expected, actual, tolerance.max_error, scale)
        return comparison

    def ranked(self) -> RankedPicture:
        """Return the picture for the page, to be ranked by its largest error.

        The error is a share of what is tolerated, and above 1 where a label flipped decisively.
        """
        image, mask = as_rgb(self.sample.image), self.expected.small_mask
        name, proportions = self.sample.name, self.sample.proportions
        picture = shown_picture(name, image, mask, self._masks, self._errors, proportions)
        return RankedPicture(self._error, self.sample.index, picture)
