"""What grounders look at, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.named_objects import Truth
from semsplat.features.queries import Texts
from semsplat.features.store import SceneFeatures
from semsplat.params.evaluate import SelectionsJob


class Place(NamedTuple):
    """A pixel of a view that shows what a prompt asks for, or why there is none.

    ``mask`` [H, W] is all that shows it there, not empty; None where the grounder has none.
    """

    view: str = ""
    pixel: tuple[int, int] = (0, 0)  # x, y
    missing: str = ""
    mask: Mask | None = None


@dataclass(frozen=True)
class World:
    """What grounders may look at; which of it they do is theirs to say."""

    scene: Scene
    features: SceneFeatures
    texts: Texts
    run: SelectionsJob
    device: str

    @cached_property
    def truth(self) -> Truth:
        """The true masks."""
        return Truth(self.scene)

    @cached_property
    def shown(self) -> dict[str, list[str]]:
        """The prompts that every labelled held-out view shows, by the view's name."""
        labelled = [frame for frame in self.scene.test if self.truth.has(frame)]
        return {frame.name: list(self.truth.masks(frame)) for frame in labelled}

    @cached_property
    def references(self) -> dict[str, Frame]:
        """The first view in ``shown`` with each prompt, as Gaussian Grouping's reference."""
        frames = {frame.name: frame for frame in self.scene.frames}
        references: dict[str, Frame] = {}
        for view, prompts in self.shown.items():
            for prompt in prompts:
                references.setdefault(prompt, frames[view])
        return references


def interior(mask: Mask) -> tuple[int, int]:
    """Return the pixel (x, y) of a mask that is farthest from its border, the first of several.

    The paper takes "a pixel within the segment" and does not say which; inside, the rendered
    feature is least mixed with what is around.
    """
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)
