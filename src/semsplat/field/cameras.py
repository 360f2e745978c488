"""Viewpoints that no photograph was taken from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.poses import camera_centre, check_rigid, flip_camera_axes, rigid_inverse
from semsplat.data.scene import Scene, Viewpoint
from semsplat.errors import SemsplatError
from semsplat.io import read_json

TINY = 1e-9
"""Of a mean of directions: cameras that agree on nothing have no up."""


def looking_at(
    name: str,
    position: NDArray[np.float64],
    target: NDArray[np.float64],
    up: NDArray[np.float64],
    fov_y: float,
    size: tuple[int, int],
) -> Viewpoint:
    """Return a camera at a position [3] that looks at a target [3].

    Args:
        name: of the viewpoint.
        position: scene units.
        target: what is in the middle of the picture; not the position.
        up: [3], of any length, not along the line of sight.
        fov_y: from the top of the picture to its bottom, radians.
        size: width and height, px.

    Raises:
        SemsplatError: the target is the position, or up is along the line of sight.
    """
    forward = target - position
    right = np.cross(forward, up)
    if not np.linalg.norm(right) > 0:
        raise SemsplatError(f"camera '{name}': looks nowhere, or along up; choose another")
    forward, right = (side / np.linalg.norm(side) for side in (forward, right))
    rotation = np.stack([right, np.cross(forward, right), forward])  # OpenCV: x right, y down
    viewmat = np.eye(4)
    viewmat[:3, :3], viewmat[:3, 3] = rotation, -rotation @ position
    return Viewpoint(name, viewmat, pinhole(fov_y, size), *size)


def pinhole(fov_y: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the intrinsics [3, 3], px, of square pixels that see so many radians of height."""
    width, height = size
    focal = height / (2 * np.tan(fov_y / 2))
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def up_of(scene: Scene) -> NDArray[np.float64]:
    """Return which way is up, [3] of length 1: the mean of what the cameras hold upwards."""
    mean: NDArray[np.float64] = np.stack([-f.viewmat[1, :3] for f in scene.frames]).mean(0)
    return mean / max(float(np.linalg.norm(mean)), TINY)


def fov_of(camera: Viewpoint) -> float:
    """Return what a camera sees of height, radians."""
    return 2 * float(np.arctan(camera.height / (2 * camera.K[1, 1])))


def focus_of(scene: Scene) -> NDArray[np.float64]:
    """Return the point [3] that is closest to all training cameras' lines of sight."""
    directions = np.stack([frame.viewmat[2, :3] for frame in scene.train])
    centres = np.stack([camera_centre(frame.viewmat) for frame in scene.train])
    across = np.eye(3) - directions[:, :, None] * directions[:, None]  # [V, 3, 3]
    wanted = (across @ centres[:, :, None]).sum(0)[:, 0]
    point: NDArray[np.float64] = np.linalg.lstsq(across.sum(0), wanted, rcond=None)[0]
    return point


def flight(scene: Scene, count: int) -> list[Viewpoint]:
    """Return cameras on a smooth way along the training cameras, in the order of the file.

    Positions and lines of sight are those of a cubic spline through the cameras; the first one's
    field of view and size hold for all.
    """
    from scipy.interpolate import make_interp_spline

    first, frames = scene.train[0], scene.train
    centres = np.stack([camera_centre(f.viewmat) for f in frames])
    targets = centres + np.stack([f.viewmat[2, :3] for f in frames])
    places = np.linspace(0, 1, len(frames))
    degree = min(3, len(frames) - 1)
    way = make_interp_spline(places, np.concatenate([centres, targets], 1), degree)
    up, fov = up_of(scene), fov_of(first)
    return [
        looking_at(f"{index:04}", both[:3], both[3:], up, fov, (first.width, first.height))
        for index, both in enumerate(way(np.linspace(0, 1, count)))
    ]


def read_cameras(path: Path) -> list[Viewpoint]:
    """Return the cameras of a file in nerfstudio's format of camera paths (``ns-render``).

    ``render_width`` and ``render_height`` in pixels, and ``camera_path``: a list of
    ``camera_to_world``, 16 numbers row by row, OpenGL axes, and ``fov``, degrees of height.

    Raises:
        SemsplatError: the file is no such file, names no camera, or a pose is not rigid.
    """
    told = read_json(path)
    try:
        size = int(told["render_width"]), int(told["render_height"])
        poses = [
            (np.array(entry["camera_to_world"], np.float64), float(entry["fov"]))
            for entry in told["camera_path"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise SemsplatError(f"{path}: no camera path of nerfstudio's ({error!r})") from None
    if not poses:
        raise SemsplatError(f"{path}: names no camera; make a path of one or more")
    return [_camera(f"{path}: camera {i}", f"{i:04}", *pose, size) for i, pose in enumerate(poses)]


def _camera(
    where: str, name: str, numbers: NDArray[np.float64], fov: float, size: tuple[int, int]
) -> Viewpoint:
    """Return one camera of a path."""
    if numbers.size != 16 or not 0 < fov < 180 or min(size) < 1:
        raise SemsplatError(f"{where}: needs 16 numbers, a fov between 0 and 180, and a size")
    pose = numbers.reshape(4, 4)
    check_rigid(pose, where)
    return Viewpoint(
        name, rigid_inverse(flip_camera_axes(pose)), pinhole(np.radians(fov), size), *size
    )
