"""The camera: which point of the car's side, and which direction, each pixel looks at.

The car's side is the plane z = 0 with x to the right, y up (0 on the ground) and z towards
the photographer; lengths are metres. Relief on the side is a height above that plane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from samples.render.geometry import Field

Region = tuple[slice, slice]


@dataclass(frozen=True)
class Camera:
    """Where the photographer stands: aimed at (x, y), seeing `width` metres of the side."""

    x: float
    y: float
    width: float
    yaw: float = 0.0
    """Degrees around the vertical axis; positive sees the right-hand end closer."""
    pitch: float = 4.0
    """Degrees that the camera looks down."""
    field_of_view: float = 42.0


@dataclass(frozen=True)
class View:
    """What the camera sees: one entry per pixel, each array `(H, W)`."""

    x: Field
    """Where the pixel's ray meets the car's side; likewise `y`."""
    y: Field
    pixel: float
    """Size of a pixel on the car's side at the centre of the picture, in metres."""
    ray: tuple[Field, Field, Field]
    """Unit direction from the camera through the pixel."""
    eye: tuple[float, float, float]

    def region(self, left: float, right: float, low: float, high: float) -> Region | None:
        """The pixels that see the given box of the car's side; None when they are too few."""
        seen = (self.x > left) & (self.x < right) & (self.y > low) & (self.y < high)
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        if min(len(rows), len(columns)) < 3:
            return None
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def crop(self, region: Region) -> View:
        """The same view of fewer pixels."""
        dx, dy, dz = (r[region] for r in self.ray)
        return replace(self, x=self.x[region], y=self.y[region], ray=(dx, dy, dz))


def look(camera: Camera, width: int, height: int) -> View:
    """Casts one ray per pixel of a `width` × `height` picture."""
    half = np.tan(np.radians(camera.field_of_view / 2))
    right = np.linspace(-half, half, 2 * width + 1, dtype=np.float32)[1::2][None, :]
    up = -np.linspace(-half, half, 2 * width + 1, dtype=np.float32)[1::2][:height, None]
    up = up - up.mean()
    yaw, pitch = np.radians(camera.yaw), np.radians(camera.pitch)
    distance = camera.width / (2 * half)
    back = (np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch))
    eye = (camera.x + distance * back[0], camera.y + distance * back[1], distance * back[2])
    side = (np.cos(yaw), 0.0, -np.sin(yaw))
    top = (-np.sin(yaw) * np.sin(pitch), np.cos(pitch), -np.cos(yaw) * np.sin(pitch))
    ray = [right * s + up * t - b for s, t, b in zip(side, top, back, strict=True)]
    length = np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
    dx, dy, dz = (np.asarray(r / length, np.float32) for r in ray)
    reach = -eye[2] / dz
    return View(
        x=np.asarray(eye[0] + reach * dx, np.float32),
        y=np.asarray(eye[1] + reach * dy, np.float32),
        pixel=camera.width / width,
        ray=(dx, dy, dz),
        eye=eye,
    )


def slopes(height: Field, view: View) -> tuple[Field, Field]:
    """Derivatives of a height field along the car's x and y axes, perspective undone."""
    by_row, by_column = np.gradient(height)
    xr, xc = np.gradient(view.x)
    yr, yc = np.gradient(view.y)
    area = xc * yr - xr * yc
    along_x = (by_column * yr - by_row * yc) / area
    along_y = (by_row * xc - by_column * xr) / area
    return np.asarray(along_x, np.float32), np.asarray(along_y, np.float32)
