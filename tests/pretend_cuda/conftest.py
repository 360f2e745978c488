"""The tiny plane and what is learned from, as the unit tests have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.features.store import ViewFeatures, write_view
from tests.unit.conftest import by_hand, tiny_scene  # noqa: F401
from tests.unit.train import level_helpers, mask_helpers
from tests.unit.train.conftest import _by_hand, lessons  # noqa: F401


@pytest.fixture(scope="session")
def sources(
    tiny_scene: Scene,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Write levels, masks, a dense map and a finished geometry."""
    folder = tmp_path_factory.mktemp("sources")
    level_helpers.write_levels(folder / "levels", tiny_scene)
    mask_helpers.write_masks(folder / "masks", tiny_scene)
    level_helpers.write_geometry(folder / "geometry", tiny_scene)
    write_dense(folder / "dense", tiny_scene)
    return {path.name: path for path in folder.iterdir()}


def write_dense(folder: Path, scene: Scene) -> None:
    """Write dense maps of 2 x 2 cells and a region's vector, and texts for two classes."""
    left, right = level_helpers.LEFT, level_helpers.RIGHT
    dense = np.stack([left, right, left, right], axis=1).reshape(-1, 2, 2).astype(np.float16)
    for frame in scene.frames:
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        view = ViewFeatures(ids, np.ones(1, np.float16), left[None].astype(np.float16), dense)
        write_view(folder / "views" / f"{frame.name}.npz", view)
    texts = np.stack([left, right]).astype(np.float32)
    anything = (texts.sum(axis=0, keepdims=True) / np.sqrt(2)).astype(np.float32)
    write_arrays(folder / "text.npz", {"classes": texts, "canonical": anything})
    write_manifest(folder, {"layers": ["all"]})
