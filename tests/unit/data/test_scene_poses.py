from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scene_helpers import one_line_error
from scipy.spatial.transform import Rotation

from semsplat.data.images import scale_intrinsics
from semsplat.data.poses import (
    camera_centre,
    check_intrinsics,
    check_rigid,
    flip_camera_axes,
    rigid_inverse,
)

angles = st.floats(-7, 7)
offsets = st.floats(-1e3, 1e3)


@st.composite
def rigid_poses(draw: st.DrawFn) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec([draw(angles) for _ in range(3)]).as_matrix()
    pose[:3, 3] = [draw(offsets) for _ in range(3)]
    return pose


@given(arrays(np.float64, (4, 4), elements=offsets))
def test_axis_flip_is_an_involution(pose: np.ndarray) -> None:
    np.testing.assert_array_equal(flip_camera_axes(flip_camera_axes(pose)), pose)


@given(rigid_poses())
def test_opengl_and_opencv_poses_are_inverse_conversions(pose: np.ndarray) -> None:
    check_rigid(pose, "pose")
    opengl = flip_camera_axes(rigid_inverse(pose))
    np.testing.assert_allclose(rigid_inverse(flip_camera_axes(opengl)), pose, atol=1e-9)


def test_identity_viewmat_looks_along_minus_z_in_opengl() -> None:
    c2w = flip_camera_axes(rigid_inverse(np.eye(4)))
    np.testing.assert_array_equal(-c2w[:3, 2], [0, 0, 1])  # OpenGL cameras look along -z
    np.testing.assert_array_equal(c2w[:3, 1], [0, -1, 0])  # and their y is up


@given(rigid_poses())
def test_camera_centre_maps_to_the_origin_of_the_camera(pose: np.ndarray) -> None:
    centre = np.append(camera_centre(pose), 1.0)
    np.testing.assert_allclose(pose @ centre, [0, 0, 0, 1], atol=1e-9)


def test_poses_that_are_not_rigid_are_refused() -> None:
    for pose in (np.eye(4) * 2, np.diag([1.0, 1, -1, 1]), np.ones((4, 4))):
        with one_line_error("here: ", "not rigid"):
            check_rigid(pose, "here")
    with one_line_error("here: ", "3x4"):
        check_rigid(np.eye(4)[:3], "here")
    with one_line_error("here: ", "NaN"):
        check_rigid(np.full((4, 4), np.nan), "here")


def test_intrinsics_that_are_not_a_pinhole_are_refused() -> None:
    good = np.array([[5.0, 0, 2], [0, 5, 2], [0, 0, 1]])
    check_intrinsics(good, "here")
    for row, column, value in [(0, 0, -1), (0, 1, 0.1), (0, 2, np.nan), (2, 2, 2)]:
        bad = good.copy()
        bad[row, column] = value
        with one_line_error("here: ", "K is not"):
            check_intrinsics(bad, "here")


@given(st.integers(1, 640), st.integers(1, 480), st.floats(-1, 1), st.floats(-1, 1))
def test_scaled_intrinsics_scale_pixel_coordinates_exactly(
    width: int, height: int, x: float, y: float
) -> None:
    K = np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]])
    u, v, _ = K @ [x, y, 1.0]
    su, sv, _ = scale_intrinsics(K, (640, 480), (width, height)) @ [x, y, 1.0]
    np.testing.assert_allclose([su, sv], [u * width / 640, v * height / 480], atol=1e-9)
