"""Segmenters: an image in, candidate masks per layer out.  One kind per file.

A kind has ``Options`` (what ``params.yaml`` may say; ``model`` names a SAM where one is needed),
``LAYERS`` (the names of its lists of masks) and ``segment(image, options, sam, points)``, which
returns `semsplat.features.masks.Masks` per layer.  A kind that is asked at points that follow a
trained geometry has ``open_prompts(options, seed, scene, geometry_dir, device)`` too, which returns
what gives a frame its `Prompts`; it segments a scene once per seed, on the geometry of that seed.
Ground truth is out of reach: a segmenter gets pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.discovery import kinds_of


class Prompts(NamedTuple):
    """Where to ask about a view, and the depth that says so."""

    points: NDArray[np.float32]  # [P, 2], pixels (x, y)
    depth: NDArray[np.float16]  # [H, W], z in scene units, 0 where nothing is drawn


segmenter_kinds, segmenter_kind = kinds_of(__name__, "segmenter", ("Options", "LAYERS", "segment"))


def follows_geometry(name: str) -> bool:
    """Tell whether a kind is asked at points that follow a trained geometry."""
    return hasattr(segmenter_kind(name), "open_prompts")
