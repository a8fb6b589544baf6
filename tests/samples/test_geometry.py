"""Known answers for the renderer's geometry."""

import numpy as np

from samples.render.geometry import (
    blur,
    distance_to_line,
    distance_to_polygon,
    noise,
    rounded_box,
    smooth_curve,
    smoothstep,
)
from samples.render.view import Camera, look, slopes

X, Y = (axis.astype(np.float32) for axis in np.meshgrid([-2.0, 0.0, 0.5, 3.0], [0.0, 1.0]))


def test_distance_to_a_square_is_negative_inside() -> None:
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    expected = [[1, -1, -0.5, 2], [1, 0, 0, 2]]
    np.testing.assert_allclose(distance_to_polygon(X, Y, square), expected, atol=1e-6)


def test_distance_to_a_segment_reaches_past_its_ends() -> None:
    distance = distance_to_line(X, Y, [(0, 0), (1, 0)])
    np.testing.assert_allclose(distance, [[2, 0, 0, 2], [5**0.5, 1, 1, 5**0.5]], rtol=1e-6)


def test_a_fully_rounded_box_is_a_circle() -> None:
    np.testing.assert_allclose(rounded_box(X, Y, 1, 1, 1), np.hypot(X, Y) - 1, atol=1e-6)


def test_a_smooth_curve_passes_through_its_points() -> None:
    points = [(0, 0), (1, 2), (3, 1), (2, -1)]
    for closed in (False, True):
        curve = smooth_curve(points, steps=5, closed=closed)
        for point in points:
            assert np.abs(curve - point).sum(axis=1).min() < 1e-9


def test_smoothstep_runs_either_way() -> None:
    values = np.array([-1, 0, 0.5, 1, 2], np.float32)
    np.testing.assert_allclose(smoothstep(0, 1, values), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, values), [1, 1, 0.5, 0, 0])


def test_noise_is_bounded_continuous_and_seeded() -> None:
    x = np.linspace(-4, 4, 4001, dtype=np.float32)
    wave = noise(x, np.full_like(x, 0.3), seed=5, octaves=3)
    assert np.abs(wave).max() <= 1
    assert wave.std() > 0.05
    assert np.abs(np.diff(wave)).max() < 0.02
    assert np.array_equal(wave, noise(x, np.full_like(x, 0.3), seed=5, octaves=3))
    assert not np.array_equal(wave, noise(x, np.full_like(x, 0.3), seed=6, octaves=3))


def test_blur_keeps_a_constant_and_the_mean() -> None:
    constant = np.full((12, 9), 3.0, np.float32)
    np.testing.assert_allclose(blur(constant, 2), constant, rtol=1e-6)
    spike = np.zeros((41, 41), np.float32)
    spike[20, 20] = 1
    spread = blur(spike, 3)
    np.testing.assert_allclose(spread.sum(), 1, rtol=1e-5)
    assert spread[20, 20] == spread.max() < 0.05


def test_a_camera_without_yaw_or_pitch_sees_an_even_grid() -> None:
    view = look(Camera(2.0, 0.6, width=1.6, pitch=0), 80, 60)
    np.testing.assert_allclose(np.diff(view.x, axis=1), 0.02, atol=1e-5)
    np.testing.assert_allclose(np.diff(view.y, axis=0), -0.02, atol=1e-5)
    np.testing.assert_allclose([view.x.mean(), view.y.mean()], [2.0, 0.6], atol=1e-5)


def test_slopes_undo_the_perspective() -> None:
    view = look(Camera(2.0, 0.6, width=1.6, yaw=25, pitch=8), 80, 60)
    along_x, along_y = slopes(0.3 * view.x - 0.7 * view.y, view)
    np.testing.assert_allclose(along_x, 0.3, atol=2e-3)
    np.testing.assert_allclose(along_y, -0.7, atol=2e-3)
