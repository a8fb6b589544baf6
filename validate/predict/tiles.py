"""Overlap-tile inference with mirrored borders (Ronneberger et al. 2015, arXiv:1505.04597).

A photo of any size is cut into tiles of the exported file's own size. What lies beyond the
photo's border is mirrored, and so is whatever a photo lacks of one tile.

    unpadded network   a tile's output lacks `margin` pixels on each side, so tiles of the input
                       reach that far beyond. Outputs lie side by side, and are what the network
                       would give for the whole photo at once.
    padded network     zeros at a tile's border stand for pixels that are there, so that outputs
                       of neighbours differ; they overlap, and are blended by a raised cosine.

Tiles begin at multiples of the network's stride, so that pooling cuts a photo as it would cut
the whole of it. An output that is no multiple of the stride overlaps its neighbour by the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.deployable import decide
from models.errors import InputError
from models.specification import InputContract, Specification
from validate.images.reading import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]
"""Classes `(H, W)`, or 0 and 1 `(C, H, W)` where channels are independent."""
Run = Callable[[Picture], Floats]
"""Gives the logits `(C, h, w)` of one tile."""


@dataclass(frozen=True)
class Axis:
    """How one side of a photo, `size` pixels, is cut into tiles of `tile` pixels.

    A tile gives `output` pixels, `margin` inside it, of which it shares `overlap` with the next.
    """

    size: int
    tile: int
    margin: int
    step: int

    @property
    def output(self) -> int:
        """What a tile gives, in pixels."""
        return self.tile - 2 * self.margin

    @property
    def overlap(self) -> int:
        """What two neighbours both give, in pixels."""
        return self.output - self.step

    @property
    def starts(self) -> range:
        """Where the outputs begin in the photo; together they cover it."""
        return range(0, max(1, self.size - self.overlap), self.step)

    @property
    def end(self) -> int:
        """Where the last output ends, at or beyond the photo's border."""
        return self.starts[-1] + self.output

    def pixels(self, start: int) -> NDArray[np.intp]:
        """The photo's pixels that the tile of the output at `start` takes, mirrored beyond it."""
        first = start - self.margin
        return mirrored(np.arange(first, first + self.tile), self.size)


def mirrored(places: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """`places` on a line of `size` pixels that goes on mirrored, its border pixels not repeated.

    >>> mirrored(np.arange(-2, 6), 3).tolist()
    [2, 1, 0, 1, 2, 1, 0, 1]
    """
    period = max(1, 2 * (size - 1))
    folded = places % period
    return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(places)


@dataclass
class Seams:
    """How far neighbouring tiles disagreed where both gave logits, before they were blended.

    `differing` of `pixels` had another label; `worst` is the largest share of one seam, which
    begins at `place`, the photo's (x, y).
    """

    independent: bool = False
    pixels: int = 0
    differing: int = 0
    worst: float = 0.0
    place: tuple[int, int] = (0, 0)

    @property
    def share(self) -> float:
        """The share of pixels whose label differs; 0 where no tiles overlap."""
        return self.differing / self.pixels if self.pixels else 0.0

    def add(self, one: Mask, other: Mask, place: tuple[int, int]) -> None:
        """Count one seam: the labels of both tiles where they overlap, `(…, h, w)`."""
        where = (one != other).reshape(-1, *one.shape[-2:]).any(axis=0)
        differing = int(where.sum())
        self.pixels += where.size
        self.differing += differing
        if differing / where.size > self.worst:
            self.worst, self.place = differing / where.size, place


@dataclass(frozen=True)
class Tiling:
    """How a photo is cut: `rows` along its height, `columns` along its width."""

    rows: Axis
    columns: Axis

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return len(self.rows.starts) * len(self.columns.starts)


def plan(
    photo: Picture, contract: InputContract, specification: Specification, overlap: int | None
) -> Tiling:
    """The tiling of `photo (H, W, C)`.

    `overlap` is in pixels, and grows by what brings tiles to multiples of the stride; None is a
    quarter of the tile, and for an unpadded network none at all. Raises InputError where it is
    more than half of what a tile gives, or a tile gives less than one stride.
    """

    def axis(size: int, tile: int) -> Axis:
        step = _step(tile - 2 * specification.margin, specification, overlap)
        return Axis(size, tile, specification.margin, step)

    height, width = photo.shape[:2]
    return Tiling(axis(height, contract.height), axis(width, contract.width))


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
    # Three tiles must never meet on one line: then rather less overlap than was asked for.
    return step if 2 * step >= output else step + stride


def tiled_mask(
    photo: Picture, tiling: Tiling, run: Run, *, independent: bool = False
) -> tuple[Mask, Seams]:
    """The mask of `photo (H, W, C)`, and how far neighbouring tiles disagreed.

    Beside photo and mask, one tile and the overlap below one row of tiles are in memory.
    """
    height, width = photo.shape[:2]
    seams = Seams(independent)
    mask: Mask | None = None
    for top, left, logits in blended(photo, tiling, run, seams):
        decided = labels(logits, independent)
        if mask is None:
            mask = np.empty((*decided.shape[:-2], height, width), np.uint8)
        bottom, right = top + logits.shape[1], left + logits.shape[2]
        mask[..., top:bottom, left:right] = decided[..., : height - top, : width - left]
    assert mask is not None  # a photo has a pixel, and so a tile
    return mask, seams


def blended(
    photo: Picture, tiling: Tiling, run: Run, seams: Seams
) -> Iterator[tuple[int, int, Floats]]:
    """Row, column and final logits `(C, h, w)` of one part of the photo after the other.

    The parts cover the photo once; those at its right and lower border reach beyond it.
    """
    rows, columns = tiling.rows, tiling.columns
    above: Floats | None = None
    for top in rows.starts:
        across = photo[rows.pixels(top)]
        before: Floats | None = None
        for left in columns.starts:
            part = run(np.ascontiguousarray(across[:, columns.pixels(left)])).copy()
            room = (photo.shape[0] - top, photo.shape[1] - left)
            if before is not None:
                _join(before, part[:, :, : columns.overlap], 2, seams, (left, top), room)
            if left != columns.starts[-1]:
                before = part[:, :, columns.step :]
                part = part[:, :, : columns.step]
            if above is None:
                above = np.empty((len(part), rows.overlap, columns.end), np.float32)
            shared = above[:, :, left : left + part.shape[2]]
            if top:
                _join(shared, part[:, : rows.overlap], 1, seams, (left, top), room)
            shared[...] = part[:, rows.step :]
            yield top, left, part if top == rows.starts[-1] else part[:, : rows.step]


def labels(logits: Floats, independent: bool) -> Mask:
    """The mask that belongs to `logits (C, h, w)`."""
    mask = decide(torch.from_numpy(logits)[None], independent=independent)[0].numpy()
    return mask.astype(np.uint8)


def _join(
    earlier: Floats,
    later: Floats,
    axis: int,
    seams: Seams,
    place: tuple[int, int],
    room: tuple[int, int],
) -> None:
    """Blend `earlier` into `later`, the same pixels by the next tile, and count the seam.

    The weights of a pixel add up to one, and where both say the same it stays to the bit. Only
    the `room` (height, width) that is left of the photo counts.
    """
    if not later.size:
        return
    height, width = room
    one, other = (labels(each, seams.independent) for each in (earlier, later))
    seams.add(one[..., :height, :width], other[..., :height, :width], place)
    length = later.shape[axis]
    share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length, dtype=np.float32) + 0.5) / length)
    share = share.reshape((1, -1, 1) if axis == 1 else (1, 1, -1))
    later[...] = earlier + share * (later - earlier)
