"""One picture's run: PyTorch's outputs, and every artifact's beside them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from validate.images.overlay import as_rgb
from validate.images.samples import Sample
from validate.metrics.comparison import Comparison, compare, measure
from validate.metrics.decision_values import Scale
from validate.metrics.tolerances import Tolerance, violations
from validate.results.thumbnails import RankedPicture, error_levels, shown_picture
from validate.runtimes import Outputs, SmallMask


class PictureRun:
    """Hold one picture, what PyTorch makes of it, and how far each artifact is from that.

    `scale` is that of all pictures so far, by which errors are measured.
    """

    def __init__(self, sample: Sample, expected: Outputs, scale: Scale):
        self.sample = sample
        self.expected = expected
        self.scale = scale
        self._masks: dict[int, SmallMask] = {}
        self._errors: dict[int, NDArray[np.uint8]] = {}
        self._error = 0.0

    def compare(self, index: int, actual: Outputs, tolerance: Tolerance) -> Comparison:
        """Compare the outputs of result `index` of the report with PyTorch's, and keep its mask."""
        comparison = self._comparison(actual, tolerance)
        metrics = measure(comparison)
        error = metrics.relative_error / tolerance.max_error + metrics.decisive_flips
        self._error = max(self._error, error)
        self._masks[index] = actual.small_mask
        limit = tolerance.max_error
        self._errors[index] = error_levels(self.expected, actual, limit, self.scale)
        return comparison

    def departure(self, actual: Outputs, tolerance: Tolerance) -> str | None:
        """Return how a file's outputs exceed `tolerance`: "on a.png, …"; None where they do not.

        The IoU of classes is for all samples together: a single picture may hold next to nothing
        of a class.
        """
        metrics = measure(self._comparison(actual, tolerance))
        limits = replace(tolerance, min_iou=0.0)
        found = "; ".join(violations(metrics, metrics.relative_error, limits))
        return f"on {self.sample.name}, {found}" if found else None

    def ranked(self) -> RankedPicture:
        """Return the picture for the page, to be ranked by its largest error.

        The error is a share of what is tolerated, and above 1 where a label flipped decisively.
        """
        image, mask = as_rgb(self.sample.image), self.expected.small_mask
        name, proportions = self.sample.name, self.sample.proportions
        picture = shown_picture(name, image, mask, self._masks, self._errors, proportions)
        return RankedPicture(self._error, self.sample.index, picture)

    def _comparison(self, actual: Outputs, tolerance: Tolerance) -> Comparison:
        limits = tolerance.max_error, tolerance.mask_slack
        return compare(self.expected, actual, *limits, self.scale)
