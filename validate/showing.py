"""Pictures as the page shows them: small enough that a hundred stay in memory."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from validate.pictures import RGBImage
from validate.results import ShownPicture

SIDE = 512
"""The longest side of a picture on the page, in pixels."""


def shown_picture(
    name: str,
    image: RGBImage,
    mask: NDArray[np.uint8],
    masks: Mapping[int, NDArray[np.uint8]],
) -> ShownPicture:
    """`image (H, W, 3)` and its masks `(H, W)`, reduced by a whole number to at most SIDE.

    A pixel whose label differs stays marked, however few of its neighbours do. Where a network of
    unpadded convolutions gives masks smaller than its input, only the part they cover is shown.
    """
    top, left = ((has - gives) // 2 for has, gives in zip(image.shape, mask.shape, strict=False))
    image = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    picture = ShownPicture(name, image, mask, masks, _differing(mask, masks))
    return reduced(picture, -(-max(mask.shape) // SIDE))


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


def bytes_of_shown(width: int, height: int, results: int) -> int:
    """What one picture with `results` results takes at most, none of its masks being equal."""
    factor = -(-max(width, height) // SIDE)
    return -(-width // factor) * -(-height // factor) * (4 + 2 * results)


def _differing(
    mask: NDArray[np.uint8], masks: Mapping[int, NDArray[np.uint8]]
) -> dict[int, NDArray[np.bool_]]:
    differs = {index: other != mask for index, other in masks.items()}
    return {index: where for index, where in differs.items() if where.any()}


def _sampled(mask: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask[::factor, ::factor])


def _any(where: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    for axis, length in enumerate(where.shape):
        where = np.logical_or.reduceat(where, np.arange(0, length, factor), axis=axis)
    return where
