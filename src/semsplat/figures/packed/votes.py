"""The true class of every Gaussian, as label maps have it: to look at, nothing is scored by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Scene, load_ids

if TYPE_CHECKING:
    from semsplat.geometry.trained import Trained


def true_classes(trained: Trained, scene: Scene, class_ids: list[int]) -> NDArray[np.uint16] | None:
    """Return class ids uint16 [N], 0 where no labelled pixel shows a Gaussian; None without labels.

    Each pixel of each view, held-out or not, votes for its class by the weight with which a
    Gaussian is blended into it.  Blending is linear, so these weights summed over the pixels of a
    class are the gradient of the blended channel's sum there.
    """
    import torch

    from semsplat.fit.adjoint import adjoint
    from semsplat.fit.inputs import Inputs
    from semsplat.fit.views import camera_of

    frames = [frame for frame in scene.frames if frame.labels_path]
    if not frames:
        return None
    known = torch.tensor(class_ids, device=trained.device)
    votes = torch.zeros(len(trained.gaussians["means"]), len(class_ids), device=trained.device)
    for frame in frames:
        assert frame.labels_path is not None
        labels = torch.from_numpy(load_ids(frame.labels_path, frame)).to(trained.device)
        camera = camera_of(frame, 1.0, Inputs(trained.device))
        votes += adjoint(trained.gaussians, camera, (labels[..., None] == known).float())
    best = known[votes.argmax(dim=1)].masked_fill(votes.amax(dim=1) <= 0, 0)
    return best.cpu().numpy().astype(np.uint16)
