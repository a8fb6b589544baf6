"""Pictures as the page shows them: small enough that a hundred stay in memory."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from validate.images.reading import RGBImage
from validate.results.parity import ShownPicture
from validate.runtimes import SmallMask

SIDE = 512
"""The longest side of a picture on the page, in pixels."""


def shown_picture(
    name: str,
    image: RGBImage,
    mask: SmallMask,
    masks: Mapping[int, SmallMask],
) -> ShownPicture:
    """`image (H, W, 3)` and its masks `(…, H, W)`, reduced by a whole number to at most SIDE.

    A pixel whose label differs stays marked, however few of its neighbours do. Where a network of
    unpadded convolutions gives masks smaller than its input, only the part they cover is shown.
    """
    height, width = mask.shape[-2:]
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    image = image[top : top + height, left : left + width]
    picture = ShownPicture(name, image, mask, masks, _differing(mask, masks))
    return reduced(picture, -(-max(height, width) // SIDE))


def reduced(picture: ShownPicture, factor: int) -> ShownPicture:
    """`picture` with sides `factor` times shorter, rounded up."""
    if factor == 1:
        return picture
    return ShownPicture(
        name=picture.name,
        image=np.asarray(Image.fromarray(picture.image).reduce(factor)),
        mask=_sampled(picture.mask, factor),
        masks={index: _sampled(each, factor) for index, each in picture.masks.items()},
        differs={index: _any(each, factor) for index, each in picture.differs.items()},
    )


def bytes_of_shown(mask: tuple[int, ...], results: int) -> int:
    """What one picture with masks of this shape takes at most, where none of them are equal."""
    factor = -(-max(mask[-2:]) // SIDE)
    *channels, height, width = mask
    planes = 3 + math.prod(channels) * (1 + results) + results
    return -(-width // factor) * -(-height // factor) * planes


def _differing(mask: SmallMask, masks: Mapping[int, SmallMask]) -> dict[int, NDArray[np.bool_]]:
    differs = {index: _in_any_channel(other != mask) for index, other in masks.items()}
    return {index: where for index, where in differs.items() if where.any()}


def _in_any_channel(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(where.reshape(-1, *where.shape[-2:]).any(axis=0))


def _sampled(mask: SmallMask, factor: int) -> SmallMask:
    return np.ascontiguousarray(mask[..., ::factor, ::factor])


def _any(where: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    for axis, length in enumerate(where.shape):
        where = np.logical_or.reduceat(where, np.arange(0, length, factor), axis=axis)
    return where
