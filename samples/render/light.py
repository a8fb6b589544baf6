"""The world around the car, and how a surface answers its light.

Radiance is linear with open sky near 1; `develop` turns it into display values at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.render.geometry import Field, mix, noise, smoothstep

Vector = tuple[Field, Field, Field]
Colour = tuple[float, float, float]
Image = Field  # (H, W, 3)

SUN = np.array([-0.42, 0.72, 0.55], np.float32) / np.float32(np.sqrt(0.42**2 + 0.72**2 + 0.55**2))
SUNLIGHT: Colour = (1.9, 1.75, 1.5)


@dataclass(frozen=True)
class Surroundings:
    """What stands around the car and how the day is."""

    seed: int
    cloud: float = 0.3
    """0 is a clear sky, 1 an overcast one."""
    skyline: float = 0.13
    """Height of trees and houses, as the sine of their elevation."""

    def radiance(self, direction: Vector) -> Image:
        """Light that arrives from each direction, `(H, W, 3)`."""
        dx, dy, dz = direction
        scene = self._ground(dy)
        above = dy > -0.01
        sky = self._sky(dx[above], dy[above], dz[above])
        scene[above] = paint(scene[above], sky, smoothstep(-0.006, 0.006, dy[above]))
        low = above & (dy < 0.05 + 2 * self.skyline)
        bearing = np.asarray(np.arctan2(dx[low], dz[low]), np.float32)
        scene[low] = self._skyline(scene[low], bearing, dy[low])
        return scene

    def _sky(self, dx: Field, dy: Field, dz: Field) -> Image:
        height = np.clip(dy, 0, 1)
        blue = gradient(
            height,
            (0.0, 0.15, 0.45, 1.0),
            ((1.25, 1.22, 1.18), (0.82, 0.98, 1.24), (0.36, 0.6, 1.08), (0.2, 0.4, 0.85)),
        )
        reach = 1.4 / (height + 0.22)
        veil = noise(dx * reach + 3, dz * reach, self.seed + 2, 4) * 0.9 + self.cloud - 0.35
        return paint(blue, (1.42, 1.42, 1.46), smoothstep(-0.1, 0.75, veil) * np.float32(0.9))

    def _skyline(self, behind: Image, bearing: Field, dy: Field) -> Image:
        """Trees and houses over the lowest part of the sky."""
        flat = np.zeros_like(bearing)
        block = np.asarray(np.floor(bearing * 6.5) * 3.7, np.float32)
        roofs = 0.95 + 0.5 * noise(block, flat, self.seed)
        crowns = (
            0.8
            + 0.3 * noise(bearing * 4, flat, self.seed)
            + 0.3 * noise(bearing * 14, flat, self.seed + 1, 3)
        )
        kind = smoothstep(-0.05, 0.05, noise(bearing * 2.3, flat, self.seed + 3))
        outline = self.skyline * mix(crowns, roofs, kind)
        leaves = (0.75 + 0.5 * noise(bearing * 40, dy * 40, self.seed + 4, 3))[..., None]
        trees = np.asarray((0.085, 0.11, 0.06), np.float32) * leaves
        walls = np.asarray((0.2, 0.18, 0.165), np.float32) * (0.8 + 0.25 * leaves)
        cover = smoothstep(0.012, -0.012, dy - outline) * smoothstep(-0.006, 0.006, dy)
        return paint(behind, paint(trees, walls, kind), np.asarray(cover, np.float32))

    def _ground(self, dy: Field) -> Image:
        return gradient(
            np.clip(-dy, 0, 1), (0.0, 0.1, 1.0), ((0.4, 0.39, 0.38), (0.25, 0.25, 0.25), (0.1,) * 3)
        )


def gradient(value: Field, stops: tuple[float, ...], colours: tuple[Colour, ...]) -> Image:
    """Colour ramp through `colours` at the rising positions `stops`."""
    channels = [np.interp(value, stops, [c[k] for c in colours]) for k in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def paint(below: Image, above: Image | Colour, alpha: Field) -> Image:
    """`above` laid over `below` with coverage `alpha` `(H, W)`."""
    over = np.asarray(above, np.float32)
    return np.asarray(below + (over - below) * alpha[..., None], np.float32)


def normalise(x: Field, y: Field, z: Field) -> Vector:
    """The vector field scaled to unit length."""
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def reflect(ray: Vector, normal: Vector) -> Vector:
    """Mirror direction of `ray` at a surface with unit `normal`."""
    facing = 2 * sum(r * n for r, n in zip(ray, normal, strict=True))
    x, y, z = (r - facing * n for r, n in zip(ray, normal, strict=True))
    return np.asarray(x), np.asarray(y), np.asarray(z)


@dataclass(frozen=True)
class Finish:
    """How a surface reflects: a diffuse base under a clear coat."""

    mirror: float
    """Share of light that the coat reflects head-on (Schlick's F0)."""
    highlight: float
    """Strength of the sun's glint on the coat."""
    sheen: float = 0.0
    """Strength of the broad glint of metal flakes, tinted by the base colour."""


GLOSS = Finish(mirror=0.1, highlight=6.0)
METALLIC = Finish(mirror=0.12, highlight=5.0, sheen=0.9)
GLASS = Finish(mirror=0.13, highlight=5.0)
RUBBER = Finish(mirror=0.012, highlight=0.1)
ALLOY = Finish(mirror=0.3, highlight=1.5, sheen=1.2)


def shade(
    base: Image,
    finish: Finish,
    ray: Vector,
    normal: Vector,
    world: Surroundings,
    coat: Field | None = None,
) -> Image:
    """Radiance of a surface towards the camera; `coat` `(H, W)` scales its gloss where given."""
    nx, ny, nz = normal
    sun = np.clip(nx * SUN[0] + ny * SUN[1] + nz * SUN[2], 0, 1)
    mirrored = reflect(ray, normal)
    glint = np.clip(sum(m * s for m, s in zip(mirrored, SUN, strict=True)), 0, 1)
    hemisphere = 0.34 + 0.3 * ny + 0.06 * nz
    diffuse = hemisphere[..., None] * np.asarray((0.95, 1.0, 1.1), np.float32)
    diffuse = diffuse + (0.36 * sun)[..., None] * np.asarray(SUNLIGHT, np.float32)
    flakes = finish.sheen * (0.35 * glint**6 + 0.25 * np.clip(mirrored[1], 0, 1))
    body = base * (diffuse + flakes[..., None])
    facing = np.clip(-sum(r * n for r, n in zip(ray, normal, strict=True)), 0, 1)
    fresnel = finish.mirror + (1 - finish.mirror) * (1 - facing) ** 5
    if coat is not None:
        fresnel, glint = fresnel * coat, glint * coat
    shine = (finish.highlight * (glint**900 + 0.06 * glint**60))[..., None]
    coated = world.radiance(mirrored) * fresnel[..., None] + shine * np.asarray(SUNLIGHT)
    return np.asarray(body * (1 - fresnel[..., None]) + coated, np.float32)


def develop(radiance: Image) -> Image:
    """Display values in [0, 1]: a filmic shoulder, then the sRGB transfer curve.

    The shoulder is Narkowicz's fit of the ACES curve (2015).
    """
    x = np.maximum(radiance, 0) * 0.82
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    curve = np.where(film <= 0.0031308, 12.92 * film, 1.055 * film ** (1 / 2.4) - 0.055)
    return curve.astype(np.float32)
