"""Damage that leaves the panel in one piece: dents and scratches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samples.render.geometry import noise, smoothstep
from samples.render.marks import Damage, Marks, local, unmarked
from samples.render.view import View


def dent(damage: Damage, view: View) -> Marks:
    """A pushed-in bowl with a sharp crease through it and paint chipped along the crease."""
    u, v = local(damage, view)
    radius = np.hypot(u, v * 1.45) * (1 + 0.22 * noise(u * 1.3, v * 1.3, damage.seed, 2))
    bowl = 1 - smoothstep(0.0, 1.0, radius)
    fold = np.abs(v + 0.28 * np.sin(u * 2.1 + damage.seed) + 0.1 * noise(u * 3, v, damage.seed + 1))
    crease = np.maximum(0, 1 - fold / 0.42) * (1 - smoothstep(0.15, 0.95, radius))
    buckle = noise(u * 2.6, v * 2.6, damage.seed + 2, 2) * bowl
    depth = np.float32(damage.size * 0.13)
    chipped = smoothstep(0.05, 0.2, noise(u * 9, v * 9, damage.seed + 3, 3) + 0.12 - fold * 7)
    return replace(
        unmarked(view),
        relief=np.asarray(-depth * (bowl + 0.45 * crease + 0.15 * buckle), np.float32),
        bare=np.asarray(chipped * (bowl > 0.3), np.float32),
        broken=radius < 0.86,
    )


def scratch(damage: Damage, view: View) -> Marks:
    """A bundle of strokes that share a direction: deep ones reach the primer."""
    rng = np.random.default_rng(damage.seed)
    u, v = local(damage, view)
    bare, groove = np.zeros_like(u), np.zeros_like(u)
    broken = np.zeros(u.shape, bool)
    for stroke in range(16):
        offset, bend, slant = rng.uniform(-0.3, 0.3), rng.normal(0, 0.05), rng.normal(0, 0.05)
        start, end = rng.uniform(-1, -0.35), rng.uniform(0.35, 1)
        width = rng.uniform(0.005, 0.01) * (2.4 if stroke < 3 else 1)
        path = offset + slant * u + bend * np.sin(u * 2.5) + 0.015 * noise(u * 8, u, damage.seed)
        away = np.abs(v - path)
        pressure = smoothstep(start, start + 0.3, u) * smoothstep(end, end - 0.3, u)
        skip = smoothstep(-0.55, 0.1, noise(u * 7, v * 22, damage.seed + stroke, 2) + 0.15)
        line = np.exp(-((away / width) ** 2)) * pressure * skip
        bare = np.maximum(bare, line)
        groove = np.maximum(groove, np.exp(-((away / (2.2 * width)) ** 2)) * pressure)
        broken |= (away < 0.095) & (u > start) & (u < end)
    return replace(
        unmarked(view),
        relief=np.asarray(-0.0018 * groove, np.float32),
        bare=np.asarray(smoothstep(0.2, 0.7, bare), np.float32),
        edge=np.asarray(0.2 * smoothstep(0.75, 1.0, bare), np.float32),
        broken=broken,
    )
