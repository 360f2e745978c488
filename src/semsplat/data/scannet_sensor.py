"""What ScanNet's SensReader exports of a scan beside pictures: cameras and poses.

`semsplat.data.datasets.scannet` describes the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import Size, image_size, scale_intrinsics
from semsplat.data.poses import check_intrinsics, check_rigid, read_table
from semsplat.errors import SemsplatError

SUFFIXES = {"color": "jpg", "depth": "png", "label-filt": "png", "pose": "txt"}
INTRINSICS = {kind: f"intrinsic/intrinsic_{kind}.txt" for kind in ("color", "depth")}
LOST = re.compile("inf|nan|ind", re.IGNORECASE)  # C libraries differ: -inf, -1.#INF, -1.#IND


@dataclass(frozen=True, eq=False)
class Camera:
    """Sizes and intrinsics of a scan; pixel centres are at halves."""

    native: Size  # of colours and labels
    size: Size  # as stored
    K: NDArray[np.float64]  # [3, 3] px, of what is stored
    depth_size: Size
    depth_K: NDArray[np.float64]  # [3, 3] px

    def depth(self, native: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return depth [H, W] as the stored colours see it [h, w]; 0 where the sensor saw nothing.

        The sensor's pixel that a colour pixel's centre falls into is taken: depths are not mixed.
        """
        axes = []
        for axis in (1, 0):  # y, x
            centres = np.arange(self.size[axis]) + 0.5
            rays = (centres - self.K[axis, 2]) / self.K[axis, axis]
            pixels = rays * self.depth_K[axis, axis] + self.depth_K[axis, 2]
            axes.append(np.floor(pixels).astype(int))
        seen = [(p >= 0) & (p < n) for p, n in zip(axes, native.shape, strict=True)]
        aligned = np.zeros(self.size[::-1], np.float32)
        rows, columns = (p[ok] for p, ok in zip(axes, seen, strict=True))
        aligned[np.ix_(*seen)] = native[np.ix_(rows, columns)]
        return aligned


def sensor_file(root: Path, kind: str, number: int) -> Path:
    """Return e.g. ``depth/1200.png``."""
    return root / kind / f"{number}.{SUFFIXES[kind]}"


def read_camera(root: Path, number: int, size: Size) -> Camera:
    """Return the camera of all images of a scan, of which ``number`` is one.

    Raises a `SemsplatError` when a file is missing or unreadable, the intrinsics are those of other
    images, or the images are smaller than ``size``.
    """
    first = sensor_file(root, "color", number)
    native = image_size(first)
    if size[0] > native[0] or size[1] > native[1]:
        raise SemsplatError(
            f"{first}: {native[0]}x{native[1]} pixels, fewer than {size[0]}x{size[1]};"
            " lower 'width_px' and 'height_px'"
        )
    K = scale_intrinsics(_read_intrinsics(root / INTRINSICS["color"], native), native, size)
    depth_size = image_size(sensor_file(root, "depth", number))
    depth_K = _read_intrinsics(root / INTRINSICS["depth"], depth_size)
    return Camera(native, size, K, depth_size, depth_K)


def _read_intrinsics(path: Path, size: Size) -> NDArray[np.float64]:
    """Return K [3, 3] px with pixel centres at halves; raise unless it is of such images."""
    K = _read_matrix(path)[:3, :3]
    check_intrinsics(K, str(path))
    K[:2, 2] += 0.5
    if not ((K[:2, 2] > 0) & (K[:2, 2] < size)).all():
        raise SemsplatError(
            f"{path}: the principal point lies outside images of {size[0]}x{size[1]} pixels;"
            " export the images at the sensor's resolution"
        )
    return K


def read_pose(path: Path) -> NDArray[np.float64]:
    """Return camera-to-world [4, 4], OpenCV axes; raise a `SemsplatError` unless it is rigid."""
    pose = _read_matrix(path)
    check_rigid(pose, str(path))
    return pose


def _read_matrix(path: Path) -> NDArray[np.float64]:
    """Return the matrix [4, 4] of a text file."""
    matrix = read_table(path)
    if matrix.shape != (4, 4):
        raise SemsplatError(f"{path}: {matrix.size} numbers; it needs four lines of four")
    return matrix


def image_numbers(root: Path) -> tuple[list[int], list[int]]:
    """Return the numbers of the images (with a pose, at which tracking was lost), both sorted."""
    stems = [path.stem for path in (root / "color").glob("*.jpg")]
    numbers = sorted(int(stem) for stem in stems if stem.isdecimal())
    lost = {number for number in numbers if _is_lost(sensor_file(root, "pose", number))}
    return [number for number in numbers if number not in lost], sorted(lost)


def _is_lost(path: Path) -> bool:
    """Say whether a pose has entries that are no numbers; a missing file is another mistake."""
    return path.is_file() and LOST.search(path.read_text(errors="replace")) is not None
