"""Camera poses: OpenCV world-to-camera in the program, OpenGL camera-to-world on disk."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.errors import SemsplatError, readable

# Text files carry six or seven digits, so rotations are orthonormal to about 1e-6; a matrix with
# scale or shear in it is off by far more than this.
FARTHEST = 1e12  # units; a map projection has some millions
ORTHONORMAL_TOLERANCE = 1e-3


def flip_camera_axes(
    c2w: NDArray[np.float64],  # [..., 4, 4] camera-to-world
) -> NDArray[np.float64]:
    """Return ``c2w`` [..., 4, 4] with OpenCV and OpenGL camera axes swapped (an involution)."""
    return c2w * np.array([1.0, -1.0, -1.0, 1.0])


def rigid_inverse(
    pose: NDArray[np.float64],  # [4, 4]
) -> NDArray[np.float64]:
    """Return the inverse [4, 4], with its last row exactly (0, 0, 0, 1).

    The general inverse is used for the rotation: a transpose would move the camera where the
    rotation is orthonormal only to the precision of a text file.
    """
    inverse = np.eye(4)
    inverse[:3, :3] = np.linalg.inv(pose[:3, :3])
    inverse[:3, 3] = -inverse[:3, :3] @ pose[:3, 3]
    return inverse


def camera_centre(
    viewmat: NDArray[np.float64],  # [4, 4] world-to-camera
) -> NDArray[np.float64]:
    """Return the camera's position [3] in world units."""
    return rigid_inverse(viewmat)[:3, 3]


def check_rigid(pose: NDArray[np.float64], where: str) -> None:
    """Raise a `SemsplatError` that starts with ``where`` unless ``pose`` is a rigid [4, 4]."""
    if pose.shape != (4, 4):
        shape = "x".join(map(str, pose.shape))
        raise SemsplatError(f"{where}: the pose is {shape}; write a 4x4 camera matrix")
    if not np.isfinite(pose).all():
        raise SemsplatError(f"{where}: the pose has NaN or infinite entries; remove the frame")
    if np.abs(pose[:3, 3]).max() > FARTHEST:
        raise SemsplatError(f"{where}: the camera is {FARTHEST:g} units away or more; correct it")
    rotation = pose[:3, :3]
    error = np.abs(rotation @ rotation.T - np.eye(3)).max()
    last_row = np.abs(pose[3] - [0, 0, 0, 1]).max()
    if max(error, last_row) > ORTHONORMAL_TOLERANCE or np.linalg.det(rotation) < 0:
        raise SemsplatError(
            f"{where}: the pose is not rigid; it must be a rotation (no scale, no mirror) and a "
            "translation with last row 0 0 0 1"
        )


def check_intrinsics(K: NDArray[np.float64], where: str) -> None:
    """Raise a `SemsplatError` that starts with ``where`` unless ``K`` [3, 3] is a pinhole's."""
    pinhole = K.shape == (3, 3) and np.isfinite(K).all()
    if pinhole:
        pinhole = K[0, 0] > 0 and K[1, 1] > 0 and K[0, 1] == 0 and K[1, 0] == 0
    if not pinhole or (K[2] != [0, 0, 1]).any():
        raise SemsplatError(
            f"{where}: K is not [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with positive focal lengths"
        )


def read_table(path: Path) -> NDArray[np.float64]:
    """Return the numbers [rows, columns] of a text file; raise a `SemsplatError` for other text."""
    with readable(path, "a table of numbers", "replace it"), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # for NumPy a table of nothing is one
        return np.loadtxt(path, dtype=np.float64, ndmin=2)
