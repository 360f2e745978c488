"""SAM asked more densely where a view is farther than others, its three outputs kept apart (GAGS).

Granularity-aware segmentation, GAGS section 3.1 (METHODS 2.2): near and far views of a thing are
asked about it equally often per area of its surface.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.features import levels
from semsplat.features.masks import Masks
from semsplat.features.prompt_points import PointOptions
from semsplat.params.features import SamFilter

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

    from semsplat.data.scene import Scene
    from semsplat.features.prompt_points.scene import ScenePrompts

LAYERS = levels.LAYERS


class Options(PointOptions, SamFilter):
    """Filters, as on a regular grid, and where to ask; boxes are compared within a level."""


def open_prompts(
    options: Options, seed: int, scene: Scene, geometry_dir: Path, device: str
) -> ScenePrompts:
    """Return what gives the frames of a scene their points; see `open_scene_prompts`."""
    from semsplat.features.prompt_points.scene import open_scene_prompts

    return open_scene_prompts(options, seed, scene, geometry_dir, device)


def segment(
    image: NDArray[np.uint8], options: Options, sam: Sam | None, points: NDArray[np.float32]
) -> dict[str, Masks]:
    """Return three layers of masks of an image uint8 [H, W, 3], best predicted IoU first."""
    found = levels.masks_at(image, points, options, sam)
    return {name: levels.cleaned(masks, options) for name, masks in found.items()}
