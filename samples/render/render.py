"""A scene turned into a photo and its true mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samples.render import car
from samples.render.background import backdrop
from samples.render.body import draw_body, draw_breaks
from samples.render.damage import marks
from samples.render.fittings import (
    HEADLAMP,
    TAILLAMP,
    draw_lamp,
    draw_mirror,
    draw_sill,
    draw_windows,
)
from samples.render.geometry import Field, blur, distance_to_polygon, smoothstep
from samples.render.light import Image, develop
from samples.render.marks import Marks
from samples.render.scene import Scene
from samples.render.view import View, look
from samples.render.wheel import draw_wheel

OVERSAMPLING = 2


def render(scene: Scene, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The photo `(height, width, 3)` in sRGB and its mask `(height, width)`, 1 where broken."""
    view = look(scene.camera, width * OVERSAMPLING, height * OVERSAMPLING)
    damage = marks(scene.damages, view)
    outline = distance_to_polygon(view.x, view.y, car.OUTLINE)
    cover = smoothstep(view.pixel, -view.pixel, outline)
    picture = backdrop(view, scene.world)
    picture = draw_body(picture, view, outline, damage, scene)
    _draw_fittings(picture, view, outline, damage, scene)
    picture = draw_breaks(picture, view, damage, cover)
    _draw_attached(picture, view, scene)
    return _expose(picture, scene.world.seed), _true_mask(view, damage, cover)


def _draw_fittings(picture: Image, view: View, outline: Field, damage: Marks, scene: Scene) -> None:
    """Paints onto `picture`, each part within its box, what damage can still break."""
    region = view.region(1.4, 3.8, 0.9, 1.5)
    if region is not None:
        picture[region] = draw_windows(picture[region], view.crop(region), scene)
    region = view.region(-0.1, 4.5, 0.1, 0.3)
    if region is not None:
        picture[region] = draw_sill(picture[region], view.crop(region), outline[region], scene)
    for lamp, box in ((HEADLAMP, (0.0, 0.7, 0.55, 0.9)), (TAILLAMP, (3.8, 4.5, 0.7, 1.0))):
        region = view.region(*box)
        if region is not None:
            relief = damage.relief[region]
            picture[region] = draw_lamp(picture[region], view.crop(region), lamp, relief, scene)


def _draw_attached(picture: Image, view: View, scene: Scene) -> None:
    """Paints onto `picture` what stands in front of the side."""
    for axle in car.WHEELS:
        region = view.region(axle - 0.4, axle + 0.4, -0.1, 0.75)
        if region is not None:
            seen = view.crop(region)
            picture[region] = draw_wheel(picture[region], seen, axle, scene.spokes, scene.world)
    region = view.region(1.5, 1.9, 0.92, 1.2)
    if region is not None:
        picture[region] = draw_mirror(picture[region], view.crop(region), scene)


def _true_mask(view: View, damage: Marks, cover: Field) -> NDArray[np.uint8]:
    """Breakage where at least half of a pixel lies on damaged bodywork."""
    wheels = [car.wheel_distance(view.x, view.y, axle) for axle in car.WHEELS]
    bodywork = cover * (np.minimum(*wheels) > car.ARCH_RADIUS)
    share = _shrink(np.asarray(damage.broken * bodywork, np.float32))
    return (share >= 0.5).astype(np.uint8)


def _expose(picture: Image, seed: int) -> NDArray[np.uint8]:
    """The camera: bloom, a soft lens, vignetting, sensor noise, 8 bits."""
    bright = np.maximum(picture - 1.1, 0)
    picture = picture + 0.25 * blur(np.minimum(bright, 4), max(2, picture.shape[1] // 120))
    small = _shrink(blur(picture, 0))
    rows, columns = small.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    small = small * (1 - 0.13 * (x * x + y * y))[..., None]
    display = develop(small.astype(np.float32))
    grain = np.random.default_rng(seed).normal(0, 1, (rows, columns, 1)).astype(np.float32)
    speckle = np.random.default_rng(seed + 1).normal(0, 1, small.shape).astype(np.float32)
    display = display + (0.008 * grain + 0.005 * speckle) * (1.15 - display)
    return np.asarray(np.clip(display * 255 + 0.5, 0, 255), np.uint8)


def _shrink(image: Field) -> Field:
    """Mean over blocks of `OVERSAMPLING` × `OVERSAMPLING` pixels."""
    rows, columns = (n // OVERSAMPLING for n in image.shape[:2])
    blocks = image.reshape(rows, OVERSAMPLING, columns, OVERSAMPLING, *image.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
