"""Run a photo tile by tile, blend tiles where they overlap, and count how far they disagree.

Outputs of neighbouring tiles are blended by a raised cosine, whose weights add up to one: where
both give the same logits, these stay to the bit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.deployable import decide
from validate.images.reading import Picture
from validate.predict.tiles import Mask, Tiling

Floats = NDArray[np.float32]
Run = Callable[[Picture], Floats]
"""Returns the logits `(C, h, w)` of one tile."""


@dataclass
class Seams:
    """Count how far neighbouring tiles disagreed where both gave logits, before blending.

    `differing` of `pixels` had two labels; `worst` is the largest share along one seam, which
    begins at `place`, the photo's (x, y).
    """

    independent: bool = False
    pixels: int = 0
    differing: int = 0
    worst: float = 0.0
    place: tuple[int, int] = (0, 0)

    @property
    def share(self) -> float:
        """Return the share of pixels whose labels differ; 0 where no tiles overlap."""
        return self.differing / self.pixels if self.pixels else 0.0

    def add(self, one: Mask, other: Mask, place: tuple[int, int]) -> None:
        """Count one seam, at which the two tiles gave the labels `one` and `other (…, h, w)`."""
        where = (one != other).reshape(-1, *one.shape[-2:]).any(axis=0)
        differing = int(where.sum())
        self.pixels += where.size
        self.differing += differing
        if differing / where.size > self.worst:
            self.worst, self.place = differing / where.size, place


def tiled_mask(
    photo: Picture, tiling: Tiling, run: Run, *, independent: bool = False
) -> tuple[Mask, Seams]:
    """Return the mask of `photo (H, W, C)`, and how far neighbouring tiles disagreed.

    Beside photo and mask, one tile and the overlap below one row of tiles are in memory.
    """
    height, width = photo.shape[:2]
    seams = Seams(independent)
    for top, left, logits in blended(photo, tiling, run, seams):
        decided = labels(logits, independent)
        if (top, left) == (0, 0):
            mask: Mask = np.empty((*decided.shape[:-2], height, width), np.uint8)
        bottom, right = top + logits.shape[1], left + logits.shape[2]
        mask[..., top:bottom, left:right] = decided[..., : height - top, : width - left]
    return mask, seams


def blended(
    photo: Picture, tiling: Tiling, run: Run, seams: Seams
) -> Iterator[tuple[int, int, Floats]]:
    """Yield row, column and final logits `(C, h, w)` of one part of the photo after the other.

    The parts cover the photo once; those at its right and lower border reach beyond it.
    """
    rows, columns = tiling.rows, tiling.columns
    above: Floats | None = None
    for top in rows.starts:
        across = photo[rows.pixels(top)]
        before: Floats | None = None
        for left in columns.starts:
            part = run(np.ascontiguousarray(across[:, columns.pixels(left)])).copy()
            rest = (photo.shape[0] - top, photo.shape[1] - left)
            if before is not None:
                _join(before, part[:, :, : columns.overlap], 2, seams, (left, top), rest)
            if left != columns.starts[-1]:
                before = part[:, :, columns.step :]
                part = part[:, :, : columns.step]
            if above is None:
                above = np.empty((len(part), rows.overlap, columns.end), np.float32)
            shared = above[:, :, left : left + part.shape[2]]
            if top:
                _join(shared, part[:, : rows.overlap], 1, seams, (left, top), rest)
            shared[...] = part[:, rows.step :]
            yield top, left, part if top == rows.starts[-1] else part[:, : rows.step]


def labels(logits: Floats, independent: bool) -> Mask:
    """Return the mask that belongs to `logits (C, h, w)`."""
    mask = decide(torch.from_numpy(logits)[None], independent=independent)[0].numpy()
    return mask.astype(np.uint8)


def _join(
    earlier: Floats,
    later: Floats,
    axis: int,
    seams: Seams,
    place: tuple[int, int],
    rest: tuple[int, int],
) -> None:
    """Blend `earlier` into `later`, the same pixels by the next tile, and count the seam.

    Only the `rest` (height, width) of the photo is counted.
    """
    if not later.size:
        return
    height, width = rest
    one, other = (labels(each, seams.independent) for each in (earlier, later))
    seams.add(one[..., :height, :width], other[..., :height, :width], place)
    length = later.shape[axis]
    share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length, dtype=np.float32) + 0.5) / length)
    share = share.reshape((1, -1, 1) if axis == 1 else (1, 1, -1))
    later[...] = earlier + share * (later - earlier)
