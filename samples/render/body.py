"""The painted side: relief, paint, seams, and what damage shows underneath."""

from __future__ import annotations

import numpy as np

from samples.render import car
from samples.render.geometry import (
    Field,
    distance_to_line,
    noise,
    rounded_box,
    smooth_curve,
    smoothstep,
)
from samples.render.light import Image, normalise, paint, shade
from samples.render.marks import Marks
from samples.render.scene import Scene
from samples.render.view import View, slopes

PALE_PRIMER, DARK_PRIMER = (0.46, 0.45, 0.43), (0.13, 0.13, 0.135)
STEEL = (0.6, 0.61, 0.62)


def draw_body(picture: Image, view: View, outline: Field, damage: Marks, scene: Scene) -> Image:
    """`picture` with the painted car over it; `outline` is the distance to its silhouette."""
    seam = _seam_distance(view)
    relief = _relief(view, outline, seam) + damage.relief
    base, coat = _coating(view, damage, scene)
    normal = _normal(view, relief)
    lit = shade(base, scene.finish, view.ray, normal, scene.world, coat)
    lit = lit * _shelter(view, seam, outline)[..., None]
    cover = smoothstep(view.pixel, -view.pixel, outline)
    return paint(picture, np.asarray(lit, np.float32), cover)


def draw_breaks(picture: Image, view: View, damage: Marks, cover: Field) -> Image:
    """`picture` with openings, cracks and torn edges; only where the car covers (`cover`)."""
    grain = noise(view.x * 55, view.y * 55, 71, 3)
    picture = paint(picture, _behind(view, damage, grain), damage.opening * cover)
    picture = paint(picture, (0.006, 0.006, 0.007), damage.gap * cover)
    torn = (0.62 + 0.2 * grain)[..., None] * np.asarray((1.0, 0.98, 0.95), np.float32)
    return paint(picture, np.asarray(torn, np.float32), damage.edge * cover)


def _behind(view: View, damage: Marks, grain: Field) -> Image:
    """What a hole shows: a dusty beam, a bracket and the dark, fading with the depth."""
    depth = np.exp(-damage.inside / 0.03)
    sway = view.y + 0.02 * np.sin(view.x * 9)
    beam = smoothstep(0.03, 0.022, np.abs((sway * 7.3) % 1 - 0.5) / 7.3)
    bracket = smoothstep(0.012, 0.008, np.abs((view.x * 5.1 + 0.3 * view.y) % 1 - 0.5) / 5.1)
    tone = 0.004 + 0.03 * beam * (0.7 + 0.5 * grain) + 0.02 * bracket + 0.035 * depth
    return np.asarray(tone[..., None] * np.asarray((1.0, 0.96, 0.92)), np.float32)


def _seam_distance(view: View) -> Field:
    """Distance to the nearest gap between panels."""
    nearest = np.full_like(view.x, np.inf)
    for seam in car.SEAMS:
        nearest = np.minimum(nearest, distance_to_line(view.x, view.y, smooth_curve(seam)))
    x, y, half_width, half_height = car.FLAP
    flap = rounded_box(
        view.x - np.float32(x), view.y - np.float32(y), half_width, half_height, 0.03
    )
    return np.asarray(np.minimum(nearest, np.abs(flap)), np.float32)


def _relief(view: View, outline: Field, seam: Field) -> Field:
    """Height of the details above the smooth side, in metres."""
    groove = -0.012 * np.exp(-((seam / 0.006) ** 2))
    arch = np.full_like(view.x, np.inf)
    for axle in car.WHEELS:
        arch = np.minimum(arch, car.wheel_distance(view.x, view.y, axle) - car.ARCH_RADIUS)
    rounding = -0.05 * smoothstep(-0.05, 0.0, outline) ** 2
    handles = np.zeros_like(view.x)
    for x, y in car.HANDLES:
        dx, dy = view.x - np.float32(x), view.y - np.float32(y)
        bowl = np.hypot(dx / 0.1, (dy + 0.006) / 0.042)
        grip = rounded_box(dx, dy, 0.105, 0.0155, 0.0155)
        handles += 0.022 * smoothstep(0.004, -0.014, grip) - 0.018 * smoothstep(1.0, 0.2, bowl)
    ripple = 0.00012 * noise(view.x * 9, view.y * 9, 31)
    return np.asarray(groove + car.flare(arch) + rounding + handles + ripple, np.float32)


def _normal(view: View, relief: Field) -> tuple[Field, Field, Field]:
    side = car.lean(view.x, view.y)
    along_x, along_y = slopes(relief, view)
    return normalise(-side.x - along_x, -side.y - along_y, np.ones_like(along_x))


def _coating(view: View, damage: Marks, scene: Scene) -> tuple[Image, Field]:
    """Base colour `(H, W, 3)` and the gloss that is left `(H, W)`."""
    flakes = 1 + 0.1 * scene.finish.sheen * noise(view.x * 420, view.y * 420, 51)
    base = np.asarray(scene.colour, np.float32) * flakes[..., None]
    streaks = smoothstep(0.1, 0.5, noise(view.x * 60, view.y * 60, 52, 2))
    primer = DARK_PRIMER if min(scene.colour) > 0.2 else PALE_PRIMER
    under = np.broadcast_to(np.asarray(primer, np.float32), base.shape)
    under = paint(under, STEEL, streaks if primer is PALE_PRIMER else 0.4 * streaks)
    coat = 1 - 0.9 * damage.bare
    return paint(base, under, damage.bare), np.asarray(coat, np.float32)


def _shelter(view: View, seam: Field, outline: Field) -> Field:
    """Light that reaches the surface past gaps, handles and the ground."""
    gap = 1 - 0.92 * np.exp(-((seam / 0.0042) ** 2)) - 0.18 * np.exp(-((seam / 0.018) ** 2))
    low = 0.45 + 0.55 * smoothstep(0.12, 0.5, view.y)
    rim = 1 - 0.35 * smoothstep(-0.03, 0.0, outline)
    under = np.ones_like(view.x)
    for x, y in car.HANDLES:
        below = rounded_box(
            view.x - np.float32(x), view.y - np.float32(y - 0.022), 0.09, 0.01, 0.01
        )
        under *= 1 - 0.6 * smoothstep(0.014, -0.008, below)
    return np.asarray(np.clip(gap, 0.02, 1) * low * rim * under, np.float32)
