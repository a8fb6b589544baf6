"""Plane geometry for the renderer: distance fields, smooth curves and repeatable noise.

Every shape of a picture is a signed distance field over the pixels, in metres and negative
inside, so that an edge, a bevel, a gap or a glow around it is a function of one number.

    inside = smoothstep(edge, -edge, distance)     # 1 inside, 0 outside, smooth in between
    gap    = exp(-(distance / width) ** 2)         # a groove along the outline
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
Points = Sequence[tuple[float, float]]

_LATTICE = np.random.default_rng(7).uniform(-1, 1, 256 * 256).astype(np.float32)


def smoothstep(low: float, high: float, value: Field) -> Field:
    """Hermite step: 0 at `low`, 1 at `high`, clamped outside; `low` may exceed `high`."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mix(start: Field | float, end: Field | float, amount: Field) -> Field:
    """Linear blend: `start` where `amount` is 0, `end` where it is 1."""
    return np.asarray(start + (np.asarray(end, np.float32) - start) * amount, np.float32)


def smooth_curve(points: Points, steps: int = 6, closed: bool = False) -> NDArray[np.float64]:
    """Points `(M, 2)` of the uniform Catmull-Rom spline through `points`."""
    p = np.asarray(points, np.float64)
    if closed:
        before, after, following = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        before = np.vstack([2 * p[0] - p[1], p[:-2]])
        p, after, following = p[:-1], p[1:], np.vstack([p[2:], 2 * p[-1] - p[-2]])
    t = (np.arange(steps) / steps)[None, :, None]
    b, s, e, f = (q[:, None, :] for q in (before, p, after, following))
    curve = s + 0.5 * t * (e - b + t * (2 * b - 5 * s + 4 * e - f + t * (3 * (s - e) + f - b)))
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, after[-1]])


def distance_to_line(x: Field, y: Field, points: Points | NDArray[np.float64]) -> Field:
    """Unsigned distance of every pixel to an open polyline."""
    p = np.asarray(points, np.float32)
    best = np.full(x.shape, np.inf, np.float32)
    for start, end in pairwise(p):
        best = np.minimum(best, _squared_distance(x, y, start, end))
    return np.asarray(np.sqrt(best), np.float32)


def distance_to_polygon(x: Field, y: Field, points: Points | NDArray[np.float64]) -> Field:
    """Signed distance of every pixel to a closed polygon, negative inside (even-odd rule)."""
    p = np.asarray(points, np.float32)
    best = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, bool)
    for start, end in zip(p, np.roll(p, -1, 0), strict=True):
        best = np.minimum(best, _squared_distance(x, y, start, end))
        if start[1] != end[1]:
            crosses = (y >= start[1]) != (y >= end[1])
            slope = (end[0] - start[0]) / (end[1] - start[1])
            inside ^= crosses & (x < start[0] + (y - start[1]) * slope)
    return np.where(inside, -np.sqrt(best), np.sqrt(best)).astype(np.float32)


def _squared_distance(x: Field, y: Field, start: Field, end: Field) -> Field:
    along = end - start
    length = max(float(along @ along), 1e-12)
    dx, dy = x - start[0], y - start[1]
    t = np.clip((dx * along[0] + dy * along[1]) / np.float32(length), 0, 1)
    return np.asarray((dx - t * along[0]) ** 2 + (dy - t * along[1]) ** 2, np.float32)


def rounded_box(x: Field, y: Field, half_width: float, half_height: float, radius: float) -> Field:
    """Signed distance to an axis-aligned box around the origin with rounded corners."""
    qx = np.abs(x) - np.float32(half_width - radius)
    qy = np.abs(y) - np.float32(half_height - radius)
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0) - np.float32(radius), np.float32)


def noise(x: Field, y: Field, seed: int, octaves: int = 1) -> Field:
    """Smooth value noise in [-1, 1] with features of one unit, halved by each further octave.

    The lattice values come from one fixed table of 256 × 256, so that a picture depends on its
    seeds alone and not on the order in which its parts are drawn.
    """
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    weight = 0.0
    for octave in range(octaves):
        scale = np.float32(2**octave)
        total += _lattice_noise(x * scale, y * scale, seed + 101 * octave) / scale
        weight += 0.5**octave
    return np.asarray(total / np.float32(weight), np.float32)


def _lattice_noise(x: Field, y: Field, seed: int) -> Field:
    x, y = np.broadcast_arrays(x, y)
    column, row = np.floor(x), np.floor(y)
    tx, ty = _ease(x - column), _ease(y - row)
    i, j = column.astype(np.int32) + 37 * seed, row.astype(np.int32) + 91 * seed
    left, right, here, below = i & 255, (i + 1) & 255, (j & 255) << 8, ((j + 1) & 255) << 8
    corners = [_LATTICE.take(r + c) for r in (here, below) for c in (left, right)]
    upper = corners[0] + (corners[1] - corners[0]) * tx
    lower = corners[2] + (corners[3] - corners[2]) * tx
    return np.asarray(upper + (lower - upper) * ty, np.float32)


def _ease(t: Field) -> Field:
    return t * t * (3 - 2 * t)


def blur(image: Field, radius: int) -> Field:
    """Three box blurs of `2 * radius + 1` pixels along both axes: close to a Gaussian."""
    if radius < 1:
        return image
    for _ in range(3):
        for axis in (0, 1):
            image = _box_blur(image, radius, axis)
    return image


def _box_blur(image: Field, radius: int, axis: int) -> Field:
    pads = [(0, 0)] * image.ndim
    pads[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(image, pads, mode="edge"), axis=axis, dtype=np.float64)
    size = image.shape[axis]
    width = 2 * radius + 1
    upper = np.take(sums, range(width, width + size), axis=axis)
    lower = np.take(sums, range(size), axis=axis)
    return np.asarray((upper - lower) / width, np.float32)
