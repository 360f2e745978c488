"""Maps of several sizes of crops, kept apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.features.extraction import write_features
from semsplat.features.pyramid import pyramid_levels
from semsplat.features.scales import on_cells, scale_maps
from semsplat.features.store import open_features
from semsplat.params.features import PyramidMaps, Recipe, WindowMaps
from tests.unit.features.conftest import two_blocks


class Brightness:
    """A CLIP whose vectors are how red and how green a crop is."""

    crop_px = 8

    def __init__(self) -> None:
        self.asked: list[list[float]] = []

    def encode_crops(self, crops: Any, batch: int) -> Any:
        mean = crops.reshape(len(crops), -1, 3).mean(1)[:, :2] + 1e-3
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float16)

    def encode_dense(self, image: Any, options: WindowMaps, batch: int) -> Any:
        self.asked.append(options.short_side_shares)
        return np.full((2, 3, 4), options.short_side_shares[0], np.float16)


def halves() -> Any:
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, :40, 0] = 200
    image[:, 40:, 1] = 200
    return image


def test_every_size_of_tiles_has_its_map_on_the_cells_of_the_first():
    options = PyramidMaps(height_shares=[0.1, 0.5], mixed=2)
    found = scale_maps(Brightness(), halves(), options, 16)
    first = pyramid_levels(60, 80, [0.1, 0.5])[0]
    assert found.shape == (2, 2, first.rows, first.columns) and found.dtype == np.float16
    red = found[:, 0, first.rows // 2].astype(float)
    assert red[:, 1] == pytest.approx([1, 1], abs=0.01) and red[:, -2].max() < 0.2
    soft = ((red > 0.2) & (red < 0.98)).sum(1)
    assert soft[1] > soft[0]  # large tiles reach over the edge between both halves


def test_windows_of_each_size_are_encoded_alone():
    clip = Brightness()
    options = WindowMaps(short_side_shares=[0.5, 0.25], stride=0.5, cell_px=20)
    found = scale_maps(clip, halves(), options, 16)
    assert clip.asked == [[0.5], [0.25]]
    assert found.shape == (2, 2, 3, 4)
    assert found[:, 0, 0, 0].tolist() == [0.5, 0.25]


def test_cells_lie_between_the_middles_of_tiles():
    grid = np.zeros((3, 3, 2), np.float32)
    grid[..., 0] = [[0, 1, 2]] * 3  # at columns 0, 10 and 20 px
    grid[..., 1] = 1
    found = on_cells(grid, 10, (20, 20), (1, 4))  # middles at 2.5, 7.5, 12.5 and 17.5 px
    expected = np.array([0.25, 0.75, 1.25, 1.75])
    assert found[0, 0].astype(float) == pytest.approx(expected / np.sqrt(1 + expected**2), abs=1e-3)
    assert (np.linalg.norm(found.astype(float), axis=0)) == pytest.approx(1, abs=1e-3)


def test_apart_needs_sizes() -> None:
    regions = {
        "pool": True, "min_score": 0.0, "max_overlap": 0.8, "drop_nested": False,
        "min_area_px": 1, "paint": "listed", "snap_px": None,
    }  # fmt: skip
    recipe = {
        "segmenter": {"kind": "x", "options": {}}, "regions": regions, "clip": "tiny",
        "region_vectors": False, "crop_batch": 1, "value_maps": None, "window_maps": None,
        "pyramid_maps": None, "apart": True, "dino_maps": None, "templates": "plain",
        "canonical": [],
    }  # fmt: skip
    with pytest.raises(ValueError, match="apart keeps sizes of window_maps or pyramid_maps"):
        Recipe.model_validate(recipe)


@pytest.mark.parametrize(("apart", "which"), [(False, "dense"), (True, "scales")])
def test_what_maps_depend_on_is_computed_anew(
    apart: bool, which: str, run_of: Any, write_scene: Any, tmp_path: Path
) -> None:
    scene, made, found = write_scene([two_blocks()]), [], []
    sizes = [0.3, 0.5], [0.3, 0.5], [0.3, 0.9]
    for place, shares in enumerate(sizes):
        tiles = PyramidMaps(height_shares=shares, mixed=2)
        run = run_of("pyramid", pyramid_maps=tiles, apart=apart)
        out = tmp_path / f"{place}"
        write_features(scene, out, tmp_path / "cache", run.model_dump_json(), None, "cpu")
        made.append(json.loads((out / "run.json").read_text())["numbers"]["cache_made"])
        found.append(getattr(open_features(out).view("view_0"), which))
    first, again, other = found
    assert made[1] == 0 < made[2] < made[0]  # masks are those that were there
    assert np.array_equal(first, again)
    assert first.shape == other.shape and not np.array_equal(first, other)
