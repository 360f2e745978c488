"""Where a page's scene is first looked at from: the cameras of held-out views."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Frame, Scene
from semsplat.field.cameras import up_of
from semsplat.figures.pictures import evenly

N_CAMERAS = 4


def cameras_of(scene: Scene, means: NDArray[np.float32]) -> dict[str, Any]:
    """Return cameras, the scene's up and the height of its views, as the file has them.

    Args:
        scene: with any views; of one without held-out ones the training views are taken.
        means: float32 [N, 3], the Gaussians that are looked at.
    """
    frames = evenly(scene.test or scene.train, N_CAMERAS)
    return {
        "cameras": [_camera(frame, means) for frame in frames],
        "up": up_of(scene).tolist(),
        "height": frames[0].height,
    }


def _camera(frame: Frame, means: NDArray[np.float32]) -> dict[str, Any]:
    """Return one camera; it looks at the median depth of what is before it."""
    seen = means @ frame.viewmat[:3, :3].T + frame.viewmat[:3, 3]
    pixels = seen @ frame.K.T
    depth = pixels[:, 2]
    inside = (pixels[:, :2] >= 0) & (pixels[:, :2] <= depth[:, None] * (frame.width, frame.height))
    before = depth[(depth > 0) & inside.all(axis=1)]
    return {
        "name": frame.name,
        "viewmat": frame.viewmat.ravel().tolist(),
        "focal": float(frame.K[1, 1]) / frame.height,
        "aspect": frame.width / frame.height,
        "distance": float(np.median(before)) if len(before) else 1.0,
    }
