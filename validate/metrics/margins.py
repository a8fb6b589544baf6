"""Count where a network decides firmly and where it hardly does: label boundaries and margins.

Labels flip first where classes meet and where two logits are nearly equal. So flips are counted
apart for boundary and interior pixels, and the reference's margins are reported beside them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validate.runtimes import Outputs


@dataclass(frozen=True)
class Decisions:
    """Sums over the pixels of one picture or of many; over every channel's, if independent.

    `margin` sums the reference's margins, in logits; `undecided` counts pixels whose margin an
    error within the tolerance can overcome, and `decisive_flips` those that have another label
    although it cannot. Boundary pixels have a neighbour, of the four, with another label in the
    reference's mask.
    """

    boundary: int
    boundary_flips: int
    undecided: int
    decisive_flips: int
    margin: float

    def __add__(self, other: "Decisions") -> "Decisions":
        return Decisions(
            boundary=self.boundary + other.boundary,
            boundary_flips=self.boundary_flips + other.boundary_flips,
            undecided=self.undecided + other.undecided,
            decisive_flips=self.decisive_flips + other.decisive_flips,
            margin=self.margin + other.margin,
        )


@dataclass(frozen=True)
class Region:
    """Some of the pixels; `agreement` is None where there are none."""

    pixels: int
    flips: int
    agreement: float | None

    @classmethod
    def of(cls, pixels: int, flips: int) -> "Region":
        """Return the region with the share of pixels that kept their label."""
        return cls(pixels, flips, 1 - flips / pixels if pixels else None)


def decisions(
    reference: Outputs, mask: NDArray[np.int32], errors: NDArray[np.float64]
) -> Decisions:
    """Count the reference's decisions, and where `mask` differs.

    `errors (G,)` are the tolerated ones in logits, of each scale (see `decision_values`).
    """
    edge, flipped = boundary(reference.mask), reference.mask != mask
    gaps = np.abs(reference.logits) if reference.independent else margins(reference.logits)
    # An error moves each of two logits against the other, but a lone logit against zero.
    moved = 1 if reference.independent else min(2, len(reference.logits))
    undecided = gaps.reshape(len(errors), -1) <= (moved * errors)[:, None]
    return Decisions(
        boundary=int(edge.sum()),
        boundary_flips=int((edge & flipped).sum()),
        undecided=int(undecided.sum()),
        decisive_flips=int((flipped.reshape(len(errors), -1) & ~undecided).sum()),
        margin=float(gaps.sum(dtype=np.float64)),
    )


def margins(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how much each pixel's label was chosen, `(H, W)`.

    The gap between the two largest of `logits (C, H, W)`, or |logit| where there is one channel.
    Independent channels are so many times one channel.
    """
    gap: NDArray[np.float32]
    if len(logits) <= 2:
        gap = np.abs(np.subtract(logits[0], logits[1] if len(logits) == 2 else 0))
    else:
        top = np.partition(logits, len(logits) - 2, axis=0)
        gap = top[-1] - top[-2]
    return gap


def boundary(mask: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which pixels of `mask (…, H, W)` touch another label above, below, left or right."""
    edge = np.zeros(mask.shape, bool)
    rows = mask[..., 1:, :] != mask[..., :-1, :]
    columns = mask[..., 1:] != mask[..., :-1]
    edge[..., 1:, :] |= rows
    edge[..., :-1, :] |= rows
    edge[..., 1:] |= columns
    edge[..., :-1] |= columns
    return edge
