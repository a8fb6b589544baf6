"""Compare masks of photos shrunk as on a phone with masks of photos shrunk as in training.

Training shrank photos by OpenCV's bilinear filter, which does not antialias. Scaling of good
quality on a phone does, and so gives the network other pixels. Here the first photo is shrunk
by filters of that kind and taken through every file to its mask, which is compared with
PyTorch's mask

    of the same pixels, which is judged: no label may flip decisively;
    of the training's pixels, which tells how far a phone's masks are from the training's.

How far PyTorch's own masks move from filter to filter is measured beside it: about as far as
swapped channels move them (see docs/parity.md), so that only the same pixels can be judged by.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from models.deployable import Deployable
from validate.images.reading import Picture
from validate.images.samples import Samples
from validate.metrics.comparison import Comparison, compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.tolerances import Tolerance
from validate.parity.picture import PictureRun
from validate.results.parity import FilterEffect, PhotoWay, WayResult
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

PHOTOS = 1
"""How many photos are taken this way: each costs a run of every file and one for each filter."""

FILTERS: Mapping[str, Image.Resampling] = {
    "antialiased bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
}
PHONE = "antialiased bilinear"
"""Pillow's, which stands for a phone's scaling: no document says which filter that is."""


def photo_violations(way: PhotoWay | None, path: str, runtime: str) -> tuple[str, ...]:
    """Return a sentence where a file's masks of photos depart from PyTorch's on the same pixels."""
    files = () if way is None else way.files
    return tuple(
        f"from photo to mask ({PHONE}), the label of {each.decisive_flips:,} pixels is one that "
        "PyTorch had decided otherwise"
        for each in files
        if (each.path, each.runtime) == (path, runtime) and each.decisive_flips
    )


class ResizeComparison:
    """Take photos both ways: through PyTorch when it is made, then through file after file.

    `photos` are samples with PyTorch's outputs; each is read again in its own size.
    """

    def __init__(self, photos: Sequence[PictureRun], samples: Samples, deployable: Deployable):
        self._names = tuple(photo.sample.name for photo in photos)
        self._training = [photo.expected for photo in photos]
        self._files: list[WayResult] = []
        pictures = [samples.original(photo.sample.index) for photo in photos]
        size = samples.contract.width, samples.contract.height
        network = Eager(deployable)
        moved = {}
        for name in FILTERS:
            moved[name] = [network.run(shrunk(picture, *size, name)) for picture in pictures]
        self.pixels = [shrunk(picture, *size, PHONE) for picture in pictures]
        self._same = moved[PHONE]
        self._filters = tuple(self._effect(name, outputs) for name, outputs in moved.items())

    def judge(
        self, path: str, runtime: str, outputs: Sequence[Outputs], tolerance: Tolerance
    ) -> None:
        """Compare what a file made of `pixels`, which are `(H, W, C)`, uint8."""
        limit, slack = tolerance.max_error, tolerance.mask_slack
        same = measure(_sum(self._same, outputs, limit, slack))
        apart = measure(_sum(self._training, outputs))
        self._files.append(
            WayResult(path, runtime, same.decisive_flips, apart.agreement, apart.classes)
        )

    def result(self) -> PhotoWay:
        """Return everything that was found."""
        return PhotoWay(self._names, PHONE, self._filters, tuple(self._files))

    def _effect(self, name: str, outputs: Sequence[Outputs]) -> FilterEffect:
        total = measure(_sum(self._training, outputs))
        return FilterEffect(name, total.agreement, total.classes)


def resize_comparison(
    pictures: Sequence[PictureRun], samples: Samples, deployable: Deployable | None
) -> ResizeComparison | None:
    """Return a comparison on the first photos among `pictures`.

    None where the network is not there, takes no image from a phone, or every picture has the
    model's size already.
    """
    if deployable is None or not samples.contract.is_image:
        return None
    photos = [picture for picture in pictures if picture.sample.resized][:PHOTOS]
    return ResizeComparison(photos, samples, deployable) if photos else None


def shrunk(picture: Picture, width: int, height: int, filter: str) -> Picture:
    """Return `picture`, grey or RGB, stretched to `width` × `height` by one of FILTERS."""
    channels = picture.shape[2]
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    stretched = np.asarray(image.resize((width, height), FILTERS[filter]))
    return stretched.reshape(height, width, channels)


def _sum(
    expected: Sequence[Outputs], actual: Sequence[Outputs], limit: float = 1.0, slack: float = 1.0
) -> Comparison:
    pairs, scale = zip(expected, actual, strict=True), scale_of(expected)
    first, *rest = (compare(a, b, limit, slack, scale) for a, b in pairs)
    return sum(rest, start=first)
