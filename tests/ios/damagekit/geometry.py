"""Where the pixels of a picture go in a model's input, and back: DamageKit's geometry in numpy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validate.images.reading import stretch

FITS = ("stretch", "letterbox", "centreCrop")
Size = tuple[int, int]
"""Width and height."""
Rectangle = tuple[int, int, int, int]
"""Left, top, width and height."""


@dataclass(frozen=True)
class Placement:
    """Which rectangle of a picture fills which rectangle of a model's input."""

    picture: Size
    input: Size
    source: Rectangle
    target: Rectangle

    def picture_point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the input lies in the picture, in pixels from its upper left corner."""
        return _moved((x, y), self.target, self.source)

    def input_point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture lies in the input."""
        return _moved((x, y), self.source, self.target)


def place(picture: Size, size: Size, fit: str) -> Placement:
    """How a picture fits a model's input of `size`; `fit` is one of FITS.

    >>> place((400, 200), (256, 256), "letterbox").target
    (0, 64, 256, 128)
    """
    whole_picture, whole_input = (0, 0, *picture), (0, 0, *size)
    if fit == "stretch":
        return Placement(picture, size, whole_picture, whole_input)
    if fit == "letterbox":
        return Placement(picture, size, whole_picture, _centred(picture, size))
    if fit == "centreCrop":
        return Placement(picture, size, _centred(size, picture), whole_input)
    raise ValueError(f"{fit} is not a fit")


def placed(image: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """The model's input `(H, W, 3)`: cropped, stretched, with black bars where there are any."""
    left, top, width, height = placement.source
    part = stretch(image[top : top + height, left : left + width], *placement.target[2:])
    canvas = np.zeros((placement.input[1], placement.input[0], 3), np.uint8)
    left, top, width, height = placement.target
    canvas[top : top + height, left : left + width] = part
    return canvas


def restore(mask: NDArray[np.int32], placement: Placement) -> NDArray[np.int32]:
    """A mask `(H, W)` of the input on the picture: nearest pixels, 0 where nothing was seen."""
    restored = np.zeros((placement.picture[1], placement.picture[0]), np.int32)
    left, top, width, height = placement.source
    columns = _sources(left, width, placement, axis=0)
    rows = _sources(top, height, placement, axis=1)
    restored[top : top + height, left : left + width] = mask[np.ix_(rows, columns)]
    return restored


def upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """An image `(H, W, …)` turned as its EXIF orientation (1 to 8) says."""
    turned: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    return turned[orientation](image)


def _centred(shape: Size, space: Size) -> Rectangle:
    """The largest rectangle of the proportions of `shape` in the middle of `space`."""
    width, height = space
    if shape[0] * space[1] >= shape[1] * space[0]:
        height = max(1, _rounded(shape[1] * space[0], shape[0]))
    else:
        width = max(1, _rounded(shape[0] * space[1], shape[1]))
    return ((space[0] - width) // 2, (space[1] - height) // 2, width, height)


def _rounded(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)  # half up, in integers


def _moved(point: tuple[float, float], start: Rectangle, end: Rectangle) -> tuple[float, float]:
    x, y = (
        (value - start[axis]) * end[axis + 2] / start[axis + 2] + end[axis]
        for axis, value in enumerate(point)
    )
    return x, y


def _sources(start: int, length: int, placement: Placement, axis: int) -> NDArray[np.intp]:
    """For pixels `start` … of the picture: the input pixel that each lies in, along `axis`."""
    centres = np.arange(start, start + length) + 0.5
    begin, extent = placement.source[axis], placement.source[axis + 2]
    inside, wanted = placement.target[axis], placement.target[axis + 2]
    positions = (centres - begin) * wanted / extent + inside
    return np.minimum(positions.astype(np.intp), placement.input[axis] - 1)
