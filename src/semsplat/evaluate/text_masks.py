"""Masks of methods that are asked by text alone: cut from what they say of every pixel.

CGC compares its masks with LangSplat's and does not say how a relevancy map became a mask.  Here it
is cut as LangSplat's own evaluation cuts it, by `lerf_ovs/segmentation@1`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from semsplat.data.scene import Frame
from semsplat.evaluate.protocols import segmentation
from semsplat.evaluate.relevancy import relevancy
from semsplat.train.methods import Reference
from semsplat.train.model import TrainedField


class AskedByText:
    """What a method that has ``vectors`` answers in the place of ``query`` and ``select``."""

    def __init__(self, canonical: Tensor) -> None:
        """Take the text vectors [C, D] against which a prompt is relevant."""
        self._canonical = canonical

    def query(self, field: TrainedField, reference: Reference) -> Tensor:
        """Return the prompt's text vector [D]; its mask in the reference view is not looked at."""
        return reference.text

    def select(self, field: TrainedField, frame: Frame, queries: Tensor) -> Tensor:
        """Return the masks of text vectors [P, D] in a view, bool [P, H, W]."""
        maps = relevancy(field.vectors(frame).asked, queries, self._canonical)
        stored = maps.half().cpu().numpy()  # as relevancy is kept
        return torch.from_numpy(np.stack([segmentation.mask_of(one) for one in stored]))
