"""A damage's place and size, and what it does to the car's side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samples.render.geometry import Field
from samples.render.view import View


@dataclass(frozen=True)
class Damage:
    """One damage, centred at (x, y) on the car's side, `size` metres across."""

    kind: str
    """A key of `damage.KINDS`."""
    x: float
    y: float
    size: float
    angle: float = 0.0
    """Direction of its long axis, degrees anticlockwise from the x axis."""
    seed: int = 0


@dataclass(frozen=True)
class Marks:
    """What damage changes; every field `(H, W)`, zero where nothing happened."""

    relief: Field
    """Metres added to the surface, negative inwards."""
    bare: Field
    """Share of the paint that is scraped off, in [0, 1]."""
    gap: Field
    """Darkness of cracks, in [0, 1]."""
    edge: Field
    """Brightness of torn or chipped edges, in [0, 1]."""
    opening: Field
    """Coverage of holes, in [0, 1]."""
    inside: Field
    """Depth into a hole from its rim, in metres."""
    broken: NDArray[np.bool_]
    """The true mask."""

    def merge(self, other: Marks) -> Marks:
        """Both damages on one surface."""
        return Marks(
            relief=self.relief + other.relief,
            bare=np.maximum(self.bare, other.bare),
            gap=np.maximum(self.gap, other.gap),
            edge=np.maximum(self.edge, other.edge),
            opening=np.maximum(self.opening, other.opening),
            inside=np.maximum(self.inside, other.inside),
            broken=self.broken | other.broken,
        )


def unmarked(view: View) -> Marks:
    """Marks of no damage at all."""
    zero = np.zeros_like(view.x)
    return Marks(zero, zero, zero, zero, zero, zero, np.zeros(zero.shape, bool))


def local(damage: Damage, view: View) -> tuple[Field, Field]:
    """Coordinates along and across the damage, 1 at half its size."""
    turn = np.radians(damage.angle)
    dx, dy = view.x - np.float32(damage.x), view.y - np.float32(damage.y)
    along = (dx * np.cos(turn) + dy * np.sin(turn)) / (damage.size / 2)
    across = (dy * np.cos(turn) - dx * np.sin(turn)) / (damage.size / 2)
    return np.asarray(along, np.float32), np.asarray(across, np.float32)
