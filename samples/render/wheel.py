"""Wheels: the dark arch, the tyre, the brake disc and the spokes."""

from __future__ import annotations

import numpy as np

from samples.render import car
from samples.render.geometry import Field, noise, smoothstep
from samples.render.light import ALLOY, RUBBER, Image, Surroundings, normalise, paint, shade
from samples.render.view import View, slopes


def draw_wheel(picture: Image, view: View, axle: float, spokes: int, world: Surroundings) -> Image:
    """`picture` with one wheel in its arch."""
    radius = car.wheel_distance(view.x, view.y, axle)
    arch = smoothstep(view.pixel, -view.pixel, radius - car.ARCH_RADIUS)
    arch = np.asarray(arch * smoothstep(0.12, 0.16, view.y), np.float32)
    picture = paint(picture, (0.012, 0.012, 0.013), arch)
    tyre = smoothstep(view.pixel, -view.pixel, radius - car.TYRE_RADIUS)
    picture = paint(picture, _tyre(view, radius, axle, world), tyre)
    well = smoothstep(view.pixel, -view.pixel, radius - car.RIM_RADIUS)
    picture = paint(picture, _brake(view, radius, axle), well)
    return _rim(picture, view, radius, axle, spokes, world)


def _tyre(view: View, radius: Field, axle: float, world: Surroundings) -> Image:
    middle = (car.TYRE_RADIUS + car.RIM_RADIUS) / 2
    bulge = 0.03 * (1 - ((radius - middle) / 0.05) ** 2)
    rings = 0.0012 * np.sin(radius * 620) * (np.abs(radius - middle - 0.01) < 0.02)
    base = np.full((*radius.shape, 3), 0.06, np.float32)
    light = shade(base, RUBBER, view.ray, _normal(bulge + rings, view), world)
    sky = 0.45 + 0.55 * smoothstep(-0.33, 0.2, view.y - np.float32(car.HUB_HEIGHT))
    edge = smoothstep(car.TYRE_RADIUS, car.TYRE_RADIUS - 0.03, radius)
    dust = 1 + 0.25 * noise((view.x - axle) * 30, view.y * 30, world.seed + 40, 2)
    under_arch = smoothstep(0.24, 0.05, view.y - np.float32(car.HUB_HEIGHT)) * 0.55 + 0.45
    return np.asarray(light * (sky * (0.35 + 0.65 * edge) * dust * under_arch)[..., None])


def _brake(view: View, radius: Field, axle: float) -> Image:
    """The ventilated disc and its hub, in the shadow behind the spokes."""
    turn = np.arctan2(view.y - np.float32(car.HUB_HEIGHT), view.x - np.float32(axle))
    sweep = 0.75 + 0.25 * np.cos(2 * turn - 1.0)
    disc = (radius < 0.165) * (0.11 + 0.02 * np.sin(radius * 1400)) * sweep
    disc = np.where(radius < 0.085, 0.03, disc)
    caliper = (np.abs(turn - 0.5) < 0.45) & (radius > 0.1) & (radius < 0.185)
    grey = np.where(caliper, 0.05, np.maximum(disc, 0.008)).astype(np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def _rim(
    picture: Image, view: View, radius: Field, axle: float, spokes: int, world: Surroundings
) -> Image:
    """Spokes, outer ring and hub cap as one relief, lit like brushed metal."""
    turn = np.arctan2(view.y - np.float32(car.HUB_HEIGHT), view.x - np.float32(axle)) + 0.37
    sector = 2 * np.pi / spokes
    folded = np.abs((turn + sector / 2) % sector - sector / 2)
    lateral = radius * np.sin(np.minimum(folded, np.pi / 2))
    reach = np.clip(radius / car.RIM_RADIUS, 0, 1)
    half = (0.16 / spokes) * (1.15 - 0.45 * reach) + 0.012 * smoothstep(0.75, 1.0, reach)
    spoke = np.asarray(lateral - half, np.float32)
    ring = np.abs(radius - (car.RIM_RADIUS - 0.011)) - np.float32(0.011)
    hub = radius - np.float32(0.058)
    away = np.minimum(np.minimum(spoke, ring), hub)
    bevel = 0.012 * smoothstep(0.003, -0.012, away) - 0.025 * smoothstep(0.2, 0.0, radius) ** 2
    bolt = np.hypot(radius - 0.034, 0.034 * ((turn + 0.6) % (2 * np.pi / 5) - np.pi / 5))
    base = np.full((*radius.shape, 3), 0.34, np.float32)
    base *= (1 - 0.8 * smoothstep(0.008, 0.006, np.asarray(bolt)))[..., None]
    metal = shade(base, ALLOY, view.ray, _normal(bevel, view), world)
    shadow = 0.35 + 0.65 * smoothstep(0.22, 0.0, view.y - np.float32(car.HUB_HEIGHT))
    cover = smoothstep(view.pixel, -view.pixel, away) * (radius < car.RIM_RADIUS + view.pixel)
    return paint(picture, metal * (shadow * 0.85)[..., None], np.asarray(cover, np.float32))


def _normal(height: Field, view: View) -> tuple[Field, Field, Field]:
    along_x, along_y = slopes(np.asarray(height, np.float32), view)
    return normalise(-along_x, -along_y, np.ones_like(along_x))
