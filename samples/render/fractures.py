"""Damage that breaks the panel: cracks and holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from samples.render.geometry import distance_to_line, distance_to_polygon, noise, smoothstep
from samples.render.marks import Damage, Marks, unmarked
from samples.render.view import View


def _branch(
    rng: np.random.Generator, start: NDArray[np.float64], heading: float, length: float
) -> NDArray[np.float64]:
    """A jagged walk of 9 points from `start`."""
    turns = heading + rng.normal(0, 0.42, 8)
    steps = length / 8 * np.stack([np.cos(turns), np.sin(turns)], -1)
    return np.vstack([start, start + np.cumsum(steps, 0)])


def _cracks(
    lines: list[NDArray[np.float64]], widths: list[float], view: View, reach: float
) -> Marks:
    """Dark gaps that taper off, each with one lit lip, and a ridge that breaks reflections."""
    gap, edge, relief = (np.zeros_like(view.x) for _ in range(3))
    nearest = np.full_like(view.x, np.inf)
    for line, width in zip(lines, widths, strict=True):
        taper = np.hypot(view.x - np.float32(line[0, 0]), view.y - np.float32(line[0, 1]))
        full = max(float(np.hypot(*(line[-1] - line[0]))), 1e-3)
        half = np.float32(width) * (1 - 0.75 * np.clip(taper / full, 0, 1))
        away = distance_to_line(view.x, view.y, line)
        lit = distance_to_line(view.x, view.y, line + np.array([0.35, -0.8]) * width * 1.3)
        gap = np.maximum(gap, smoothstep(1.25, 0.75, away / half))
        edge = np.maximum(edge, 0.55 * smoothstep(1.2, 0.4, lit / half))
        relief = np.maximum(relief, np.maximum(0, 1 - away / np.float32(5 * width)))
        nearest = np.minimum(nearest, away)
    return replace(
        unmarked(view),
        relief=np.asarray(0.0025 * relief, np.float32),
        gap=gap,
        edge=np.asarray(edge * (1 - gap), np.float32),
        broken=nearest < reach,
    )


def crack(damage: Damage, view: View) -> Marks:
    """A jagged crack through the centre, with side branches."""
    rng = np.random.default_rng(damage.seed)
    heading = np.radians(damage.angle)
    tail = np.array([damage.x, damage.y]) - damage.size / 2 * np.array(
        [np.cos(heading), np.sin(heading)]
    )
    trunk = _branch(rng, tail, heading, damage.size * 1.08)
    lines, widths = [trunk], [damage.size * 0.016]
    for joint, side in zip((2, 3, 4, 5, 6), (1, -1, 1, -1, 1), strict=True):
        aim = heading + side * rng.uniform(0.6, 1.1)
        lines.append(_branch(rng, trunk[joint], aim, damage.size * rng.uniform(0.2, 0.38)))
        widths.append(damage.size * 0.011)
    return _cracks(lines, widths, view, reach=damage.size * 0.07)


def hole(damage: Damage, view: View) -> Marks:
    """A broken-out piece: shards around a dark opening, cracks running out of its corners."""
    rng = np.random.default_rng(damage.seed)
    rim, corners = _rim(damage, rng)
    away = distance_to_polygon(view.x, view.y, rim)
    centre = np.array([damage.x, damage.y])
    headings = [np.arctan2(*(rim[k] - centre)[::-1]) for k in corners]
    lines = [
        _branch(
            rng, rim[k] + 0.1 * (centre - rim[k]), heading, damage.size * rng.uniform(0.15, 0.3)
        )
        for k, heading in zip(corners, headings, strict=True)
    ]
    cracks = _cracks(lines, [damage.size * 0.01] * len(lines), view, reach=damage.size * 0.045)
    size = damage.size
    chip = noise(view.x / size * 16, view.y / size * 16, damage.seed, 2)
    chipped = size * 0.05 * smoothstep(-0.35, 0.6, chip)
    opening = smoothstep(view.pixel, -view.pixel, away)
    thickness = 0.022 * size
    wall = smoothstep(-thickness - view.pixel, -thickness + view.pixel, away) * opening
    towards_sun = ((view.y - damage.y) * 0.85 - (view.x - damage.x) * 0.5) / size
    lit = 0.1 + 0.7 * smoothstep(0.1, -0.35, np.asarray(towards_sun, np.float32))
    pushed = -0.04 * size * np.exp(-((np.maximum(away, 0) / (0.11 * size)) ** 2))
    scraped = smoothstep(view.pixel, -view.pixel, away - chipped)
    hole = replace(
        unmarked(view),
        relief=np.asarray(pushed, np.float32),
        bare=np.asarray(scraped * (away < 0.06 * size), np.float32),
        edge=np.asarray(wall * lit, np.float32),
        opening=opening,
        inside=np.maximum(-away, 0),
        broken=away < 0.1 * size,
    )
    return hole.merge(cracks)


def _rim(damage: Damage, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Outline of a hole with shards pointing inwards, and its five outermost corners."""
    angles = np.linspace(0, 2 * np.pi, 27)[:-1] + rng.uniform(-0.1, 0.1, 26)
    shape = 0.78 + 0.16 * np.sin(2 * angles + rng.uniform(0, 6)) + 0.06 * np.sin(3 * angles + 1)
    shard = np.where(np.arange(26) % 2, rng.uniform(0.72, 1.0, 26), rng.uniform(0.92, 1.06, 26))
    radii = damage.size / 2 * shape * shard
    turn = np.radians(damage.angle)
    along, across = radii * np.cos(angles), radii * np.sin(angles) * 0.74
    x = damage.x + along * np.cos(turn) - across * np.sin(turn)
    y = damage.y + along * np.sin(turn) + across * np.cos(turn)
    return np.stack([x, y], -1), np.argsort(radii)[-5:]
