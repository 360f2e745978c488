"""``poses_bounds.npy``: cameras as LLFF stores them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import Size
from semsplat.data.poses import check_rigid, rigid_inverse
from semsplat.errors import SemsplatError, one_line

POSES = "poses_bounds.npy"
COLUMNS = 17  # 3 x 5 numbers row by row, then the nearest and the farthest depth


@dataclass(frozen=True, eq=False)
class LlffView:
    """One camera."""

    viewmat: NDArray[np.float64]  # [4, 4] world-to-camera, OpenCV axes
    K: NDArray[np.float64]  # [3, 3] px, of an image of ``size``
    size: Size  # of the original image
    near: float  # smallest and
    far: float  # largest depth of what COLMAP saw in this view, world units

    def random_depth(self, size: Size, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a depth [h, w] between the bounds for every pixel, even in inverse depth.

        Steps of inverse depth are steps of parallax, so that the points are as dense as views can
        tell them apart; NeRF samples captures of this kind in the same way.
        """
        inverse = rng.uniform(1 / self.far, 1 / self.near, size[::-1])
        return (1 / inverse).astype(np.float32)


def read_llff(path: Path, names: list[str]) -> dict[str, LlffView]:
    """Return {name: camera} for the images of these ``names``, in the order of the file's lines.

    Raises a one-line `SemsplatError` when the file is missing, has not one line of 17 numbers per
    image, or has poses, sizes or bounds that cannot be.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise SemsplatError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise SemsplatError(f"{path}: not a NumPy array ({one_line(error)})") from None
    if not isinstance(rows, np.ndarray) or rows.shape != (len(names), COLUMNS):
        shape = "x".join(map(str, getattr(rows, "shape", ())))
        raise SemsplatError(
            f"{path}: {shape} numbers; it needs a line of {COLUMNS} for each of the"
            f" {len(names)} images"
        )
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise SemsplatError(f"{path.parent}: two images are named '{double}'; remove one")
    lines = zip(names, rows.astype(np.float64), strict=True)
    return {name: _view(row, f"{path}: image '{name}'") for name, row in lines}


def _view(
    row: NDArray[np.float64],  # [17]
    where: str,
) -> LlffView:
    """Return the camera of one line; raise a `SemsplatError` that starts with ``where``."""
    matrix, (near, far) = row[:15].reshape(3, 5), row[15:].tolist()
    height, width, focal = matrix[:, 4].tolist()
    if not (np.isfinite(row).all() and min(height, width, focal) > 0):
        raise SemsplatError(
            f"{where}: all numbers must be finite, size and focal length above 0; remove the image"
        )
    if not 0 < near < far < np.inf:
        raise SemsplatError(f"{where}: bounds {near:g} and {far:g}; they must be 0 < near < far")
    down, right, back, position = matrix[:, :4].T
    c2w = np.eye(4)
    c2w[:3] = np.stack([right, down, -back, position], axis=1)
    check_rigid(c2w, where)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return LlffView(rigid_inverse(c2w), K, (round(width), round(height)), near, far)
