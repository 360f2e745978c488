"""What a field's features look like, and what they cut out of a scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn.functional import normalize

from semsplat.data.scene import Frame
from semsplat.evaluate.selection import DRAWN
from semsplat.geometry.trained import render_frame
from semsplat.train.model import SemanticField

Picture = NDArray[np.uint8]
SPREAD = (1.0, 99.0)  # percentiles that become the darkest and the brightest of a channel
SMALLEST_RANGE = 1e-6  # an axis along which nothing differs has no colours to give


class Palette:
    """Colours of features that mean the same in all views of a scene.

    The three principal axes of the unit features of all Gaussians, fewer where there are fewer; in
    every scene and setting of their own: colours of two fields cannot be compared.
    """

    def __init__(self, semantics: Tensor) -> None:
        """Find the axes of features [N, D]."""
        unit = normalize(semantics, dim=-1).cpu().numpy()
        self._axes = PCA(n_components=min(3, *unit.shape), svd_solver="full").fit(unit)
        low, high = np.percentile(self._axes.transform(unit), SPREAD, axis=0)
        self._low, self._range = low, np.maximum(high - low, SMALLEST_RANGE)

    def picture(self, features: Tensor, alpha: Tensor) -> Picture:
        """Return a view's features [H, W, D] as colours [H, W, 3]; white where nothing is drawn."""
        unit = normalize(features.flatten(0, 1), dim=-1).cpu().numpy()
        values = (self._axes.transform(unit) - self._low) / self._range
        colours = np.zeros((len(values), 3), np.uint8)
        colours[:, : values.shape[1]] = (values.clip(0, 1) * 255).round()
        drawn = (alpha >= DRAWN).cpu().numpy()
        return np.where(drawn[..., None], colours.reshape(*drawn.shape, 3), np.uint8(255))


def draw_alone(field: SemanticField, frame: Frame, members: Tensor) -> Picture:
    """Return the Gaussians ``members`` bool [N] on white, uint8 [H, W, 3]."""
    if not members.any():
        return np.full((frame.height, frame.width, 3), 255, np.uint8)
    gaussians = {key: value[members] for key, value in field.trained.gaussians.items()}
    alone = replace(field.trained, gaussians=gaussians, background="white")
    with torch.no_grad():
        return render_frame(alone, frame)[0]
