"""Pictures for the page: the worst of a run, each small enough that a hundred stay in memory."""

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from validate.images.reading import RGBImage
from validate.metrics.decision_values import Scale
from validate.results.parity import ShownPicture
from validate.runtimes import Outputs, SmallMask

T = TypeVar("T", np.bool_, np.uint8)
LEVELS = 6
"""Error levels: the highest begins at 1,024 times the tolerated error."""
SIDE = 512
"""The longest side of a picture on the page, in pixels."""
SHOWN = 100
"""The most pictures that the page shows."""
SHOWN_BYTES = 384 << 20
"""The memory that they may take together."""
NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class RankedPicture:
    """Hold a picture with its largest error and its place among the samples."""

    error: float
    index: int
    picture: ShownPicture


class WorstPictures:
    """Keep the pictures with the largest errors, as many as the page shows.

    `mask` is the shape of a mask, `(H, W)` or `(C, H, W)`, and `results` counts the masks beside
    PyTorch's.
    """

    def __init__(self, mask: tuple[int, ...], results: int):
        self._most = max(1, min(SHOWN, SHOWN_BYTES // bytes_of_shown(mask, results)))
        self._kept: list[RankedPicture] = []

    def add(self, pictures: Iterable[RankedPicture]) -> tuple[RankedPicture, ...]:
        """Keep the worst of those there are and `pictures`; return the new ones, without photos."""
        fresh = list(pictures)
        self._kept = heapq.nlargest(self._most, [*self._kept, *fresh], key=_rank)
        new = {each.index for each in fresh}
        return tuple(_without_image(each) for each in self._kept if each.index in new)

    def ordered(self) -> tuple[RankedPicture, ...]:
        """Return them, the worst first."""
        return tuple(self._kept)


def _rank(ranked: RankedPicture) -> tuple[float, int]:
    return ranked.error, -ranked.index


def _without_image(ranked: RankedPicture) -> RankedPicture:
    return replace(ranked, picture=replace(ranked.picture, image=NO_IMAGE))


def error_levels(
    expected: Outputs, actual: Outputs, limit: float, scale: Scale
) -> NDArray[np.uint8]:
    """Return the level of each pixel's largest error `(H, W)`: 0 within the `limit`.

    `limit` is a share of `scale`. A level is a factor of 4: 1 from the limit on, 2 from 4 times
    the limit on, up to LEVELS.
    """
    difference = actual.logits - expected.logits
    if not expected.independent and len(difference) > 1:
        difference -= difference.mean(axis=0)
    allowed = np.asarray(scale.range * limit, np.float32)[:, None, None]
    times = (np.abs(difference) / allowed).max(axis=0)
    levels = np.ceil(np.log2(np.maximum(times, 1)) / 2)
    return np.asarray(np.minimum(levels, LEVELS), np.uint8)


def shown_picture(
    name: str,
    image: RGBImage,
    mask: SmallMask,
    masks: Mapping[int, SmallMask],
    errors: Mapping[int, NDArray[np.uint8]] | None = None,
    proportions: float | None = None,
) -> ShownPicture:
    """Return `image (H, W, 3)` and its masks `(…, H, W)`, reduced to at most SIDE.

    The factor is a whole number. A pixel whose label differs stays marked, however few of its
    neighbours do. Where a network of unpadded convolutions gives masks smaller than its input,
    only the part they cover is shown. `errors` are levels, and `proportions` are those of the
    photo: without them, the picture is shown as it is.
    """
    height, width = mask.shape[-2:]
    if proportions is None:
        proportions = image.shape[1] / image.shape[0]
    proportions *= width / image.shape[1] * image.shape[0] / height
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    image = image[top : top + height, left : left + width]
    there = {index: each for index, each in (errors or {}).items() if each.any()}
    differs = _differing(mask, masks)
    picture = ShownPicture(name, image, mask, masks, differs, there, proportions)
    return reduced(picture, -(-max(height, width) // SIDE))


def reduced(picture: ShownPicture, factor: int) -> ShownPicture:
    """Return `picture` with sides `factor` times shorter, rounded up."""
    if factor == 1:
        return picture
    return replace(
        picture,
        image=np.asarray(Image.fromarray(picture.image).reduce(factor)),
        mask=_sampled(picture.mask, factor),
        masks={index: _sampled(each, factor) for index, each in picture.masks.items()},
        differs={index: _largest(each, factor) for index, each in picture.differs.items()},
        errors={index: _largest(each, factor) for index, each in picture.errors.items()},
    )


def bytes_of_shown(mask: tuple[int, ...], results: int) -> int:
    """Return the most that a picture with `results` masks of this shape takes, in bytes."""
    factor = -(-max(mask[-2:]) // SIDE)
    *channels, height, width = mask
    planes = 3 + math.prod(channels) * (1 + results) + 2 * results
    return -(-width // factor) * -(-height // factor) * planes


def _differing(mask: SmallMask, masks: Mapping[int, SmallMask]) -> dict[int, NDArray[np.bool_]]:
    differs = {index: _in_any_channel(other != mask) for index, other in masks.items()}
    return {index: where for index, where in differs.items() if where.any()}


def _in_any_channel(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(where.reshape(-1, *where.shape[-2:]).any(axis=0))


def _sampled(mask: SmallMask, factor: int) -> SmallMask:
    return np.ascontiguousarray(mask[..., ::factor, ::factor])


def _largest(values: NDArray[T], factor: int) -> NDArray[T]:
    """Return the largest value of each block of pixels: for flags, whether one is set."""
    for axis, length in enumerate(values.shape):
        values = np.maximum.reduceat(values, np.arange(0, length, factor), axis=axis)
    return values
