"""A world whose left half agrees on sub-parts alone and whose right half on wholes alone.

What a level does not agree on has another vector in every view.  A gate that learns which level all
views agree on takes sub-parts on the left and wholes on the right.  Of the readings of Eq. 3 the
distances to the mixture do so, squared or absolute, whichever networks decide.  The sum of weighted
distances is linear in the weights and ends in one level for both halves: an expected finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.bench.gpu.world import DIMENSIONS, LEFT, RIGHT, world_x, write_levels
from semsplat.data.scene import Frame, Scene
from semsplat.features.store import SceneFeatures, ViewFeatures
from semsplat.train.methods import gags
from semsplat.train.model import open_field
from tests.unit.train.level_helpers import trained, write_geometry

SUBPART, PART, WHOLE = range(3)


def half_view(frame: Frame, random: np.random.Generator) -> ViewFeatures:
    """Return two regions on each level; only left sub-part and right whole mean anything."""
    right = np.broadcast_to(world_x(frame) > 0, (frame.height, frame.width)).astype(np.int16)
    table = random.normal(size=(6, DIMENSIONS))
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    table[0], table[5] = LEFT, RIGHT
    ids = np.stack([right, 2 + right, 4 + right])
    return ViewFeatures(ids, np.ones(6, np.float16), table.astype(np.float16), None)


@pytest.fixture(scope="module")
def features(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> SceneFeatures:
    random = np.random.default_rng(5)
    views = {frame.name: half_view(frame, random) for frame in tiny_scene.frames}
    return write_levels(tmp_path_factory.mktemp("halves"), tiny_scene, **views)


@pytest.fixture(scope="module")
def geometry(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)


def chosen(folder: Path, scene: Scene) -> tuple[list[float], list[float]]:
    """Return the share of pixels that each level has, left and right, in held-out views."""
    field, halves = open_field(folder, "cpu"), ([], [])
    for frame in scene.test:
        factors = gags.vectors(field, frame).factors
        assert factors is not None
        best, right = factors.argmax(dim=-1), torch.from_numpy(world_x(frame) > 0)
        for pixels, part in zip(halves, (best[~right], best[right]), strict=True):
            pixels.append(part)
    return tuple(
        (torch.cat(pixels).bincount(minlength=3) / sum(map(len, pixels))).tolist()
        for pixels in halves
    )


@pytest.mark.parametrize(
    "options", [{}, {"decoder": {"networks": "separate", "hidden_share": 4.0}}], ids=["one", "two"]
)
@pytest.mark.parametrize("distill", ["l2_mixture", "l1_mixture"])
def test_the_distance_to_the_mixture_finds_the_level_of_each_half(
    tiny_scene, features, geometry, tmp_path, distill: str, options: dict[str, Any]
):
    options = {"distill": distill, "late_from": 100, **options}
    out = trained(tiny_scene, features, geometry, tmp_path / "out", steps=200, **options)
    left, right = chosen(out, tiny_scene)
    assert left[SUBPART] > 0.9 and right[WHOLE] > 0.9, (left, right)


def test_the_sum_of_weighted_distances_ends_in_one_level_for_both_halves(
    tiny_scene, features, geometry, tmp_path
):
    weighted = {"distill": "l2_weighted", "late_from": 100}
    out = trained(tiny_scene, features, geometry, tmp_path / "out", steps=200, **weighted)
    left, right = chosen(out, tiny_scene)
    assert np.argmax(left) == np.argmax(right), (left, right)


@pytest.mark.parametrize(
    ("levels", "expected"), [("subpart", (1, 0)), ("whole", (0, 1))], ids=["subpart", "whole"]
)
def test_a_fixed_level_is_learned_where_it_is_agreed_on(
    tiny_scene, features, geometry, tmp_path, levels, expected
):
    out = trained(tiny_scene, features, geometry, tmp_path / "out", steps=200, levels=levels)
    field, frame = open_field(out, "cpu"), tiny_scene.test[0]
    maps, right = gags.vectors(field, frame).maps[0], torch.from_numpy(world_x(frame) > 0)
    on_left = (maps[~right] @ torch.from_numpy(LEFT).float()).mean().item()
    on_right = (maps[right] @ torch.from_numpy(RIGHT).float()).mean().item()
    assert [on_left > 0.9, on_right > 0.9] == [bool(e) for e in expected], (on_left, on_right)
