"""The ray caster against geometry worked out by hand."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.data.world import raycast
from semsplat.data.world.builder import WorldBuilder, plain, pose_at
from semsplat.data.world.primitives import Light, Orbit, Shape, World
from semsplat.data.world.raycast import camera_path, focal_length, look_at, render_view
from semsplat.data.world.rooms import make_room

GREY = plain((0.5, 0.5, 0.5))
LIGHT = Light((0.0, 0.0, 3.0), 0.2, (3.0, 3.0, 3.0), 0.3, (0.0, 0.0, 1.0, 0.1))
ORBIT = Orbit((0.0, 0.0), 1.0, 1.0, 0.0, 0.0, 0.0)


def world_of(shape: Shape, half: tuple[float, float, float], taper=(1.0, 1.0)) -> World:
    """A world of one shape at the origin."""
    build = WorldBuilder(np.random.default_rng(0))
    build.start("ball", "gray", pose_at(0.0, 0.0, 0.0))
    build.add("body", shape, (0.0, 0.0, 0.0), half, GREY, taper=taper)
    return build.finish("room", 0, 3.0, 6.0, LIGHT, ORBIT)


def from_front(distance: float) -> np.ndarray:
    return look_at(np.array([0.0, -distance, 0.0]), np.zeros(3))


def pixel_grid(width: int, height: int, hfov: float) -> tuple[np.ndarray, np.ndarray]:
    focal = focal_length(width, hfov)
    x = (np.arange(width) + 0.5 - width / 2) / focal
    y = (np.arange(height) + 0.5 - height / 2) / focal
    return np.meshgrid(x, y)


@settings(max_examples=25)
@given(st.floats(0.2, 1.0), st.floats(1.5, 6.0), st.floats(30.0, 90.0))
def test_sphere_depth_is_analytic(radius: float, distance: float, hfov: float):
    view = render_view(world_of(Shape.ELLIPSOID, (radius,) * 3), from_front(distance), 41, 31, hfov)
    x, y = pixel_grid(41, 31, hfov)
    scale = np.sqrt(x**2 + y**2 + 1)
    along = distance / scale
    disc = along**2 - distance**2 + radius**2
    expected = np.where(disc > 0, (along - np.sqrt(np.maximum(disc, 0))) / scale, 0.0)
    clear = np.abs(disc) > 1e-6
    np.testing.assert_allclose(view.depth[clear], expected[clear], atol=1e-5)
    np.testing.assert_array_equal(view.primitives[clear] == 0, disc[clear] > 0)


@settings(max_examples=25)
@given(st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.floats(2.0, 5.0))
def test_box_face_seen_straight_on_has_constant_depth(hx: float, hy: float, hz: float, far: float):
    view = render_view(world_of(Shape.BOX, (hx, hy, hz)), from_front(far), 40, 30, 60.0)
    x, y = pixel_grid(40, 30, 60.0)
    face = (np.abs(x) * (far - hy) < hx - 1e-9) & (np.abs(y) * (far - hy) < hz - 1e-9)
    np.testing.assert_allclose(view.depth[face], far - hy, rtol=1e-6)
    assert (view.primitives[face] == 0).all()
    assert (view.primitives == 0).sum() == face.sum()


def test_cone_silhouette_narrows_to_its_top():
    view = render_view(
        world_of(Shape.CONE, (0.5, 0.5, 0.5), (1.0, 0.2)), from_front(4.0), 80, 80, 30
    )
    widths = (view.primitives == 0).sum(axis=1)
    rows = np.flatnonzero(widths)
    assert widths[rows[2]] < 0.4 * widths[rows[-3]]
    assert np.all(np.diff(widths[rows[2] : rows[-8]]) >= 0)


def test_cone_cap_depth_from_above():
    cone = world_of(Shape.CONE, (0.5, 0.5, 0.4), (0.3, 1.0))
    pose = look_at(np.array([0.0, -1e-6, 3.0]), np.zeros(3))
    view = render_view(cone, pose, 21, 21, 30.0)
    assert view.depth[10, 10] == pytest.approx(2.6, abs=1e-4)


def test_nothing_seen_is_black_with_no_depth():
    away = look_at(np.array([0.0, -3.0, 0.0]), np.array([0.0, -9.0, 0.0]))
    view = render_view(world_of(Shape.BOX, (0.5, 0.5, 0.5)), away, 8, 6, 60.0)
    assert (view.primitives == -1).all()
    assert (view.depth == 0).all()
    assert (view.radiance == 0).all()


def test_shadow_falls_below_and_softly():
    build = WorldBuilder(np.random.default_rng(0))
    build.start("floor", "gray", pose_at(0.0, 0.0, -0.05), casts_shadow=False)
    build.box("boards", (0, 0, 0), (3, 3, 0.05), GREY)
    build.start("box", "gray", pose_at(0.0, 0.0, 1.0))
    build.box("body", (0, 0, 0), (0.4, 0.4, 0.01), GREY)
    world = build.finish("room", 0, 3.0, 6.0, LIGHT, ORBIT)
    pose = look_at(np.array([0.0, -0.001, 0.9]), np.zeros(3))  # below the plate
    row = render_view(world, pose, 120, 3, 110.0).radiance[1, :, 0]
    assert row[60] < 0.6 * row.max()
    half_lit = (row > row.min() * 1.1) & (row < row.max() * 0.75)
    assert half_lit.sum() >= 4


def test_shapes_and_types():
    world = make_room(0)
    view = render_view(world, camera_path(world, 1)[0], 50, 34, 60.0, samples=2)
    assert view.radiance.shape == (34, 50, 3)
    assert view.radiance.dtype == np.float32
    assert view.primitives.dtype == np.int32
    assert view.depth.dtype == np.float32
    assert np.isfinite(view.radiance).all()


def test_threads_and_repetition_change_nothing():
    world = make_room(1)
    pose = camera_path(world, 3)[1]
    before = numba.get_num_threads()
    views = []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS), 1):
            numba.set_num_threads(threads)
            views.append(render_view(world, pose, 80, 60, 60.0))
    finally:
        numba.set_num_threads(before)
    for other in views[1:]:
        np.testing.assert_array_equal(views[0].radiance, other.radiance)
        np.testing.assert_array_equal(views[0].primitives, other.primitives)
        np.testing.assert_array_equal(views[0].depth, other.depth)


def test_light_points_are_spread_over_the_light():
    points = raycast.light_points(LIGHT, 9)
    assert np.linalg.norm(points[:, :2], axis=1).max() <= LIGHT.radius
    assert len(np.unique(points[:, 0].round(6))) == 9
    assert np.abs(points[:, :2].mean(axis=0)).max() < 0.2 * LIGHT.radius
