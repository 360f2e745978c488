"""The tiny plane and what is learned from, as the unit tests have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.bench.gpu.world import write_dense, write_levels, write_masks
from semsplat.data.scene import Scene
from tests.unit.conftest import by_hand, tiny_scene  # noqa: F401
from tests.unit.train import level_helpers
from tests.unit.train.conftest import _by_hand, lessons  # noqa: F401


@pytest.fixture(scope="session")
def sources(
    tiny_scene: Scene,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Write levels, masks, a dense map and a finished geometry."""
    folder = tmp_path_factory.mktemp("sources")
    write_levels(folder / "levels", tiny_scene)
    write_masks(folder / "masks", tiny_scene)
    level_helpers.write_geometry(folder / "geometry", tiny_scene)
    write_dense(folder / "dense", tiny_scene)
    return {path.name: path for path in folder.iterdir()}
