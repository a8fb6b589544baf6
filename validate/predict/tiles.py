"""Plan tiles with mirrored borders (Ronneberger et al. 2015, arXiv:1505.04597).

A photo of any size is cut into tiles of the exported file's own size. Pixels beyond the photo's
border are mirrored ones, also where a photo is smaller than one tile.

    unpadded network   a tile's output lacks `margin` pixels on each side, so tiles of the input
                       reach that far beyond. Outputs lie side by side, and are what the network
                       would give for the whole photo at once.
    padded network     zeros at a tile's border stand for pixels that are there, so that outputs
                       of neighbours differ; they overlap, and are blended (see blend.py).

Tiles begin at multiples of the network's stride, so that pooling divides a tile as it would
divide the whole photo. An output that is no multiple of it overlaps its neighbour by the rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError
from models.specification import InputContract, Specification
from validate.images.reading import Picture

Mask = NDArray[np.uint8]
"""Classes `(H, W)`, or 0 and 1 `(C, H, W)` where channels are independent."""


@dataclass(frozen=True)
class TiledSide:
    """Divide one side of a photo, `size` pixels, into tiles of `tile` pixels.

    A tile gives `output` pixels, `margin` inside it, of which it shares `overlap` with the next.
    """

    size: int
    tile: int
    margin: int
    step: int

    @property
    def output(self) -> int:
        """Return the pixels of a tile's output."""
        return self.tile - 2 * self.margin

    @property
    def overlap(self) -> int:
        """Return the pixels that the outputs of two neighbours share."""
        return self.output - self.step

    @property
    def starts(self) -> range:
        """Return the places in the photo where outputs begin; together they cover it."""
        return range(0, max(1, self.size - self.overlap), self.step)

    @property
    def end(self) -> int:
        """Return the place where the last output ends, at or beyond the photo's border."""
        return self.starts[-1] + self.output

    def pixels(self, start: int) -> NDArray[np.intp]:
        """Return the photo's pixels in the tile whose output begins at `start`, mirrored beyond."""
        first = start - self.margin
        return mirrored(np.arange(first, first + self.tile), self.size)


def mirrored(places: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Map `places` onto a line of `size` pixels that is mirrored, border pixels not repeated.

    >>> mirrored(np.arange(-2, 6), 3).tolist()
    [2, 1, 0, 1, 2, 1, 0, 1]
    """
    period = max(1, 2 * (size - 1))
    folded = places % period
    return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(places)


@dataclass(frozen=True)
class Tiling:
    """Hold the tiles of a photo: `rows` along its height, `columns` along its width."""

    rows: TiledSide
    columns: TiledSide

    @property
    def tiles(self) -> int:
        """Return the number of tiles."""
        return len(self.rows.starts) * len(self.columns.starts)


def plan(
    photo: Picture, contract: InputContract, specification: Specification, overlap: int | None
) -> Tiling:
    """Divide `photo (H, W, C)` into tiles.

    `overlap` is in pixels, and is enlarged until tiles begin at multiples of the stride; None is
    a quarter of the tile, and for an unpadded network none at all. Raise InputError where it is
    more than half of a tile's output, or where that is less than one stride.
    """

    def side(size: int, tile: int) -> TiledSide:
        step = _step(tile - 2 * specification.margin, specification, overlap)
        return TiledSide(size, tile, specification.margin, step)

    height, width = photo.shape[:2]
    return Tiling(side(height, contract.height), side(width, contract.width))


def _step(output: int, specification: Specification, overlap: int | None) -> int:
    stride, margin = specification.stride, specification.margin
    if output < stride:
        raise InputError(
            f"A tile of this network gives {output} pixels, less than its stride of {stride}, so "
            "that tiles cannot be joined: export it with a larger SIZE=."
        )
    shared = (0 if margin else output // 4) if overlap is None else overlap
    if 2 * shared > output:
        raise InputError(
            f"Tiles cannot overlap by {shared} pixels: a tile gives {output}, and at most half "
            "of it may be shared with the next. Give a smaller --overlap."
        )
    step = (output - shared) // stride * stride
    # No pixel may lie in three tiles of a line: then they overlap by less than was asked for.
    return step if 2 * step >= output else step + stride
