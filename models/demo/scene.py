"""What a picture shows: a camera, a paint, its damage and the day."""

from __future__ import annotations

from dataclasses import dataclass

from models.demo.light import GLOSS, Colour, Finish, Surroundings
from models.demo.marks import Damage
from models.demo.view import Camera

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
