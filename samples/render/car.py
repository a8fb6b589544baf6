"""The car: a five-door hatchback's left side, as curves in metres.

The nose is at x = 0, the tail at x = 4.4, the ground at y = 0. `relief` gives the curvature
that the reflections follow: how far each part of the side leans up or down, fore or aft.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samples.render.geometry import Field, Points, smooth_curve, smoothstep

OUTLINE = smooth_curve(
    [
        (0.16, 0.19),
        (0.05, 0.3),
        (0.015, 0.48),
        (0.04, 0.64),
        (0.13, 0.75),
        (0.42, 0.845),
        (0.8, 0.905),
        (1.2, 0.965),
        (1.55, 1.17),
        (1.9, 1.345),
        (2.25, 1.43),
        (2.7, 1.455),
        (3.2, 1.435),
        (3.68, 1.365),
        (3.98, 1.18),
        (4.2, 1.0),
        (4.34, 0.93),
        (4.385, 0.8),
        (4.4, 0.6),
        (4.385, 0.4),
        (4.3, 0.24),
        (3.9, 0.19),
        (2.4, 0.17),
        (0.8, 0.175),
    ],
    closed=True,
)
WHEELS = (0.84, 3.44)
"""x of the front and the rear axle."""
HUB_HEIGHT, TYRE_RADIUS, RIM_RADIUS, ARCH_RADIUS = 0.325, 0.325, 0.232, 0.372

WINDOWS: tuple[Points, ...] = (
    [(1.56, 1.005), (1.74, 1.125), (2.0, 1.265), (2.22, 1.345), (2.4, 1.368), (2.39, 1.02)],
    [(2.5, 1.022), (2.5, 1.374), (2.85, 1.372), (3.13, 1.335), (3.2, 1.2), (3.19, 1.035)],
    [(3.255, 1.04), (3.265, 1.19), (3.21, 1.325), (3.47, 1.265), (3.66, 1.125), (3.6, 1.055)],
)
PILLAR: Points = [(2.385, 1.015), (2.395, 1.375), (2.505, 1.38), (2.505, 1.02)]
GLASSHOUSE: Points = [
    (1.47, 0.99),
    (1.7, 1.13),
    (2.0, 1.295),
    (2.25, 1.375),
    (2.7, 1.4),
    (3.15, 1.375),
    (3.5, 1.285),
    (3.72, 1.12),
    (3.63, 1.03),
    (2.5, 1.0),
]
"""The black frame around all the side windows."""

SEAMS: tuple[Points, ...] = (
    # Front door, rear door, then the lids, bumpers and sill.
    [(1.44, 0.99), (1.345, 0.86), (1.325, 0.6), (1.36, 0.36), (1.44, 0.292), (2.4, 0.285)],
    [(2.45, 1.0), (2.452, 0.6), (2.425, 0.34), (2.4, 0.285)],
    [(2.4, 0.285), (2.86, 0.29), (2.95, 0.36), (3.05, 0.62), (3.2, 0.78), (3.3, 0.9), (3.24, 1.04)],
    [(0.2, 0.765), (0.5, 0.83), (0.85, 0.875), (1.25, 0.94), (1.4, 0.985)],
    [(0.53, 0.755), (0.56, 0.66), (0.54, 0.56), (0.5, 0.48)],
    [(3.79, 0.455), (3.84, 0.6), (3.97, 0.7), (4.2, 0.735), (4.42, 0.735)],
)
FLAP = (3.66, 0.86, 0.085, 0.075)
"""Fuel flap: centre, half width and half height."""
HANDLES = ((2.27, 0.845), (3.1, 0.87))
HEADLIGHT = smooth_curve(
    [
        (0.07, 0.615),
        (0.085, 0.68),
        (0.2, 0.735),
        (0.42, 0.79),
        (0.58, 0.8),
        (0.53, 0.745),
        (0.4, 0.69),
        (0.22, 0.63),
    ],
    steps=4,
    closed=True,
)
TAILLIGHT = smooth_curve(
    [
        (4.395, 0.9),
        (4.2, 0.915),
        (3.98, 0.905),
        (3.9, 0.875),
        (4.0, 0.83),
        (4.18, 0.79),
        (4.3, 0.765),
        (4.4, 0.765),
    ],
    steps=4,
    closed=True,
)
MIRROR = smooth_curve(
    [
        (1.56, 1.03),
        (1.58, 1.1),
        (1.66, 1.125),
        (1.76, 1.115),
        (1.785, 1.06),
        (1.76, 1.02),
        (1.66, 1.005),
    ],
    steps=4,
    closed=True,
)

# How far the side leans back (positive: faces the sky), in degrees by height above ground.
_LEAN_HEIGHTS = (0.16, 0.22, 0.27, 0.30, 0.34, 0.40, 0.46, 0.56, 0.68, 0.732, 0.75, 0.80, 0.88)
_LEAN_DEGREES = (-38, -26, -8, 6, 17, 9, 0, -5, -5, -4, 5, 8, 16)
_SHOULDER_HEIGHTS = (0.93, 0.985, 1.02, 1.25, 1.36, 1.43, 1.47)
_SHOULDER_DEGREES = (26, 46, 24, 24, 30, 55, 70)


@dataclass(frozen=True)
class Lean:
    """Slopes of the undamaged side, dz/dx and dz/dy, each `(H, W)`."""

    x: Field
    y: Field


def lean(x: Field, y: Field) -> Lean:
    """Curvature of the doors, the wings and the ends of the car."""
    crease = y - np.float32(0.028) * (x - 2.2) + np.float32(0.006) * (x - 2.2) ** 2
    level = np.where(y < 0.9, np.minimum(crease, 0.9), y)
    upward = np.interp(level, _LEAN_HEIGHTS + _SHOULDER_HEIGHTS, _LEAN_DEGREES + _SHOULDER_DEGREES)
    nose = smoothstep(1.0, -0.12, x) ** 2 * 62
    tail = smoothstep(3.7, 4.5, x) ** 2 * 62
    wave = 2.2 * np.sin((x - 0.4) * 1.45)
    outward = np.clip(nose - tail + wave, -75, 75)
    return Lean(
        x=np.tan(np.radians(outward)).astype(np.float32),
        y=-np.tan(np.radians(upward)).astype(np.float32),
    )


def flare(distance: Field) -> Field:
    """Relief of a wing around a wheel arch, by distance from the arch's edge, in metres."""
    lip = 0.012 * np.exp(-((distance / 0.022) ** 2))
    return np.asarray(lip + 0.035 * np.exp(-((np.maximum(distance, 0) / 0.12) ** 2)), np.float32)


def wheel_distance(x: Field, y: Field, axle: float) -> Field:
    """Distance of each pixel from a wheel's hub."""
    return np.asarray(np.hypot(x - np.float32(axle), y - np.float32(HUB_HEIGHT)), np.float32)


Curve = NDArray[np.float64]
