"""What a view's features say on three levels, at the size of a training step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.fit.views import View
from semsplat.train.class_terms import at_size
from semsplat.train.mlp import LEVELS


class LevelMaps(NamedTuple):
    """Sub-parts, parts and wholes of one view."""

    ids: Tensor  # int64 [3, H, W], rows of the table, -1 for none; levels share no row
    table: Tensor  # [R + 1, D], CLIP vectors of length 1; the last row, for none, is zeros

    @property
    def covered(self) -> Tensor:
        """Which levels have a region where, bool [3, H, W]."""
        return self.ids >= 0

    @property
    def targets(self) -> Tensor:
        """The vectors of every pixel and level, [3, H, W, D]; zeros where there is none."""
        return self.table[self.ids]  # id -1 reads the last row


def check_levels(features: SceneFeatures) -> int:
    """Return the length of the vectors of features with three levels; raise for others."""
    if len(features.layers) != LEVELS:
        raise SemsplatError(
            f"{features.folder}: layers {features.layers}; name a recipe with sub-parts, parts and"
            " wholes, and with region_vectors"
        )
    return features.text_vectors("canonical").shape[1]


def level_maps(features: SceneFeatures, view: View, device: str) -> LevelMaps:
    """Return a view's levels, read from disk every time: memory does not grow with the views.

    Ids are taken from the pixel nearest to each new centre.  The official code interpolates the
    vectors instead, which differs on the borders of regions alone.
    """
    layers, vectors = features.regions(view.name)
    ids = torch.stack([at_size(layer, view, device) for layer in layers])
    none = np.zeros((1, vectors.shape[1]), np.float16)
    table = torch.from_numpy(np.concatenate([vectors, none])).to(device).float()
    return LevelMaps(ids, table)
