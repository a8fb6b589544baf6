"""The street behind the car, out of focus, and the ground under it."""

from __future__ import annotations

import numpy as np

from samples.render.car import WHEELS
from samples.render.geometry import Field, blur, noise, smoothstep
from samples.render.light import Image, Surroundings, paint
from samples.render.view import View


def backdrop(view: View, world: Surroundings) -> Image:
    """Everything that is not the car, `(H, W, 3)`."""
    street = blur(world.radiance(view.ray), max(1, view.x.shape[1] // 110))
    downward = smoothstep(0.004, -0.01, view.ray[1])
    return paint(street, _ground(view, world), downward)


def _ground(view: View, world: Surroundings) -> Image:
    """Asphalt with grain and a painted line, darkened where the car keeps the sky away."""
    reach = np.minimum(-view.eye[1] / np.minimum(view.ray[1], -0.01), 60).astype(np.float32)
    x = np.asarray(view.eye[0] + reach * view.ray[0], np.float32)
    z = np.asarray(view.eye[2] + reach * view.ray[2], np.float32)
    grain = 0.5 * noise(x * 90, z * 90, world.seed + 20) + noise(x * 1.1, z * 1.1, world.seed, 3)
    tone = np.float32(0.2) * (1 + 0.22 * grain * smoothstep(14, 4, reach))
    bare = np.asarray(tone[..., None] * np.asarray((1.0, 0.98, 0.97)), np.float32)
    line = smoothstep(0.075, 0.06, np.abs(z - 0.62)) * smoothstep(
        -0.75, -0.2, noise(x * 14, z * 14, world.seed + 21, 2)
    )
    asphalt = paint(bare, (0.62, 0.61, 0.57), np.asarray(line * 0.8, np.float32))
    return np.asarray(asphalt * (1 - _shadow(x, z))[..., None], np.float32)


def _shadow(x: Field, z: Field) -> Field:
    """Share of the light that the car takes from the ground at (x, z)."""
    along = smoothstep(-0.35, 0.25, x) * smoothstep(4.75, 4.15, x)
    under = along * smoothstep(0.42, -0.18, z) * smoothstep(-2.6, -1.6, z) * 0.93
    for axle in WHEELS:
        patch = np.hypot((x - axle) / 0.3, (z + 0.1) / 0.24)
        under = np.maximum(under, 0.9 * smoothstep(1.15, 0.2, patch))
    return np.asarray(under, np.float32)
