"""What is not painted steel: windows, lamps, the mirror and the plastic sill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samples.render import car
from samples.render.geometry import (
    Field,
    distance_to_polygon,
    noise,
    rounded_box,
    smooth_curve,
    smoothstep,
)
from samples.render.light import GLASS, RUBBER, Image, normalise, paint, shade
from samples.render.scene import Scene
from samples.render.view import View, slopes

BLACK = (0.012, 0.012, 0.013)


def draw_windows(picture: Image, view: View, scene: Scene) -> Image:
    """`picture` with the black frame and the side windows."""
    frame = distance_to_polygon(view.x, view.y, smooth_curve(car.GLASSHOUSE, 4, closed=True))
    picture = paint(picture, BLACK, smoothstep(view.pixel, -view.pixel, frame))
    away = np.full_like(view.x, np.inf)
    for window in car.WINDOWS:
        away = np.minimum(away, distance_to_polygon(view.x, view.y, window))
    cabin = _cabin(view)
    bulge = 0.25 * (view.x - np.float32(2.4)) * 0.3
    normal = normalise(
        np.asarray(bulge, np.float32), np.full_like(view.x, 0.22), np.ones_like(view.x)
    )
    glass = shade(cabin, GLASS, view.ray, normal, scene.world)
    return paint(picture, glass, smoothstep(view.pixel, -view.pixel, away - 0.008))


def _cabin(view: View) -> Image:
    """Seats against the light of the far windows."""
    far = 0.035 + 0.12 * smoothstep(1.02, 1.15, view.y) * smoothstep(1.36, 1.28, view.y)
    for x in (2.12, 3.02):
        head = rounded_box(view.x - np.float32(x), view.y - np.float32(1.16), 0.075, 0.085, 0.05)
        back = rounded_box(
            view.x - np.float32(x + 0.03), view.y - np.float32(0.95), 0.12, 0.14, 0.06
        )
        seat = smoothstep(0.012, -0.012, np.minimum(head, back))
        far = far * (1 - 0.85 * seat)
    return np.repeat(np.asarray(far, np.float32)[..., None], 3, axis=2) * np.float32(0.7)


def draw_sill(picture: Image, view: View, outline: Field, scene: Scene) -> Image:
    """`picture` with unpainted plastic along the sill, the arches and the bumpers' foot."""
    grain = 0.0004 * noise(view.x * 220, view.y * 220, 61)
    step = 0.012 * smoothstep(0.275, 0.255, view.y)
    plastic = _solid(view, (0.03, 0.03, 0.032), np.asarray(step + grain, np.float32), scene)
    low = smoothstep(0.262 + view.pixel, 0.262 - view.pixel, view.y)
    return paint(picture, plastic, low * smoothstep(view.pixel, -view.pixel, outline))


def draw_mirror(picture: Image, view: View, scene: Scene) -> Image:
    """`picture` with the painted mirror housing and its shadow."""
    shadow = distance_to_polygon(view.x, view.y, car.MIRROR + np.array([0.04, -0.035]))
    picture = paint(picture, BLACK, np.asarray(0.55 * smoothstep(0.04, -0.03, shadow), np.float32))
    away = distance_to_polygon(view.x, view.y, car.MIRROR)
    dome = 0.06 * np.sqrt(np.clip(-away / 0.06, 0, 1))
    along_x, along_y = slopes(np.asarray(dome, np.float32), view)
    normal = normalise(-along_x, 0.1 - along_y, np.ones_like(along_x))
    base = np.broadcast_to(np.asarray(scene.colour, np.float32), picture.shape)
    housing = shade(base, scene.finish, view.ray, normal, scene.world)
    return paint(picture, housing, smoothstep(view.pixel, -view.pixel, away))


@dataclass(frozen=True)
class Lamp:
    """A lamp's outline, and what shines behind its cover at a distance from that outline."""

    curve: NDArray[np.float64]
    inner: Callable[[View, Field], Image]


def draw_lamp(picture: Image, view: View, lamp: Lamp, relief: Field, scene: Scene) -> Image:
    """`picture` with one lamp, whose clear cover carries the damage's `relief`."""
    away = distance_to_polygon(view.x, view.y, lamp.curve)
    picture = paint(picture, (0.008, 0.008, 0.008), smoothstep(0.009, 0.005, away))
    dome = 0.03 * np.sqrt(np.clip(-away / 0.05, 0, 1)) + relief
    side = car.lean(view.x, view.y)
    along_x, along_y = slopes(np.asarray(dome, np.float32), view)
    normal = normalise(-side.x - along_x, 0.12 - along_y, np.ones_like(along_x))
    lens = shade(lamp.inner(view, away), GLASS, view.ray, normal, scene.world)
    return paint(picture, lens, smoothstep(view.pixel, -view.pixel, away))


def _headlamp(view: View, away: Field) -> Image:
    """Two projectors in a dark housing above a strip of daytime light."""
    tone = 0.05 + 0.09 * smoothstep(-0.02, 0.0, away)
    light = np.repeat(tone[..., None], 3, axis=2)
    for x, y, radius in ((0.2, 0.688, 0.036), (0.335, 0.725, 0.04)):
        from_lens = np.hypot(view.x - np.float32(x), view.y - np.float32(y))
        ring = np.exp(-(((from_lens - radius) / 0.007) ** 2))
        eye = smoothstep(radius - 0.005, radius - 0.012, from_lens)
        glow = 0.08 + 0.9 * np.exp(-(((view.y - y - 0.012) / 0.012) ** 2))
        light = paint(light, (0.85, 0.87, 0.9), np.asarray(ring, np.float32))
        light = paint(light, np.repeat(np.asarray(glow, np.float32)[..., None], 3, 2), eye)
    upper = smoothstep(0.0, 0.06, view.y - np.float32(0.655) - 0.27 * (view.x - np.float32(0.1)))
    strip = np.exp(-(((away + 0.014) / 0.005) ** 2)) * upper
    light = paint(light, (1.5, 1.55, 1.65), np.asarray(strip, np.float32))
    amber = smoothstep(0.44, 0.47, view.x) * smoothstep(-0.012, -0.02, away)
    return paint(light, (0.75, 0.28, 0.03), np.asarray(0.75 * amber, np.float32))


def _taillamp(view: View, away: Field) -> Image:
    """Red glass over ribs, with a bright loop and a clear indicator."""
    ribs = 0.75 + 0.25 * np.sin(view.x * 330)
    dark = np.asarray(ribs[..., None] * np.asarray((0.42, 0.012, 0.016)), np.float32)
    loop = np.exp(-(((away + 0.026) / 0.006) ** 2))
    red = paint(dark, (1.3, 0.1, 0.07), np.asarray(loop, np.float32))
    clear = smoothstep(0.008, 0.0, np.abs(view.y - np.float32(0.845)) - 0.012)
    clear = clear * smoothstep(-0.034, -0.042, away)
    return paint(red, (0.8, 0.72, 0.66), np.asarray(clear, np.float32))


HEADLAMP = Lamp(car.HEADLIGHT, _headlamp)
TAILLAMP = Lamp(car.TAILLIGHT, _taillamp)


def _solid(view: View, colour: tuple[float, float, float], height: Field, scene: Scene) -> Image:
    side = car.lean(view.x, view.y)
    along_x, along_y = slopes(np.asarray(height, np.float32), view)
    normal = normalise(-side.x - along_x, -side.y - along_y, np.ones_like(along_x))
    base = np.broadcast_to(np.asarray(colour, np.float32), (*view.x.shape, 3))
    return shade(base, RUBBER, view.ray, normal, scene.world)
