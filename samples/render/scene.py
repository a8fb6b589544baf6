"""What a picture shows: a camera, a paint, its damage and the day."""

from __future__ import annotations

from dataclasses import dataclass

from samples.render.light import GLOSS, Colour, Finish, Surroundings
from samples.render.marks import Damage
from samples.render.view import Camera

NOON = Surroundings(seed=1)


@dataclass(frozen=True)
class Scene:
    """Everything that a picture depends on."""

    name: str
    camera: Camera
    colour: Colour
    """Linear reflectance of the paint."""
    finish: Finish = GLOSS
    damages: tuple[Damage, ...] = ()
    world: Surroundings = NOON
    spokes: int = 5
    """Of each wheel."""
