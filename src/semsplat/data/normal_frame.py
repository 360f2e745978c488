"""The frame in which a scene is stored and trained: near the origin, some units wide.

Single precision, the near plane and every threshold in scene units suppose that.  A map projection
has coordinates of some millions, a scan in kilometres an extent of 1e-5; both are moved.  The
transform is recorded in nerfstudio's words, ``applied_transform`` and ``applied_scale``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EXTENT_MARGIN = 1.1  # 3DGS, getNerfppNorm
NORMAL_EXTENTS = (0.1, 100.0)
"""Between these a scene is left as it is: a room in metres is, and so is a model of COLMAP's."""
MOST_OFFSET = 64.0  # extents between the cameras' centre and the origin; costs 6 of 24 bits


class NormalFrame(NamedTuple):
    """From own coordinates to stored ones: ``stored = scale (own - centre)``."""

    centre: NDArray[np.float64]  # [3] own units
    scale: float  # a power of two, so that scaling rounds nothing

    @property
    def is_own(self) -> bool:
        """Whether nothing was moved."""
        return self.scale == 1 and not self.centre.any()

    def points(self, xyz: NDArray[Any]) -> NDArray[np.float64]:
        """Return own positions [..., 3] as stored ones."""
        return self.scale * (np.asarray(xyz, np.float64) - self.centre)

    def own(self, xyz: NDArray[Any]) -> NDArray[np.float64]:
        """Return stored positions [..., 3] as own ones."""
        return np.asarray(xyz, np.float64) / self.scale + self.centre

    def pose(self, c2w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return an own camera-to-world [4, 4] as a stored one."""
        stored = c2w.copy()
        stored[:3, 3] = self.points(c2w[:3, 3])
        return stored

    def record(self) -> dict[str, Any]:
        """Return the keys of ``transforms.json``; none where nothing was moved."""
        if self.is_own:
            return {}
        transform = np.hstack([np.eye(3), -self.centre[:, None]])
        return {"applied_transform": transform.tolist(), "applied_scale": self.scale}


OWN = NormalFrame(np.zeros(3), 1.0)
"""Of a scene that was not moved."""


def camera_extent(centres: NDArray[np.float64]) -> float:
    """Return 3DGS's extent of camera positions [V, 3]: 1.1 x the largest distance from the mean."""
    distances = np.linalg.norm(centres - centres.mean(axis=0), axis=1)
    return float(EXTENT_MARGIN * distances.max())


def normal_frame(centres: NDArray[np.float64]) -> NormalFrame:
    """Return the frame for training cameras at own positions [V, 3].

    Scenes that are not normal get their cameras' mean at the origin and an extent between 1 and 2.
    """
    mean, extent = centres.mean(axis=0), camera_extent(centres)
    sound = extent == 0 or NORMAL_EXTENTS[0] <= extent <= NORMAL_EXTENTS[1]
    if sound and np.linalg.norm(mean) <= MOST_OFFSET * max(extent, 1.0):
        return OWN
    scale = 1.0 if extent == 0 else float(2.0 ** np.ceil(-np.log2(extent)))
    return NormalFrame(mean, scale)


def recorded_frame(transform: Sequence[Sequence[float]] | None, scale: float) -> NormalFrame:
    """Return the frame that ``transforms.json`` records.

    One that turns the scene, as nerfstudio's own do, is no frame of ours: then stored coordinates
    are taken for the scene's own.
    """
    matrix = np.eye(3, 4) if transform is None else np.array(transform, np.float64)
    if matrix.shape != (3, 4) or not np.array_equal(matrix[:, :3], np.eye(3)):
        return OWN
    return NormalFrame(-matrix[:, 3], scale)
