"""Training pictures: a seed fixes them, and no suite ever shows them."""

from __future__ import annotations

import copy
from itertools import combinations

import numpy as np
import pytest

from semsplat.data.world.builder import COLORS
from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.raycast import camera_path
from semsplat.data.world.vocabulary import PARTS
from semsplat.experiment.check import check
from semsplat.networks import pictures as module
from semsplat.networks.pictures import MAX_PRIMITIVES, draw_pictures, load_pictures
from tests.unit.networks.conftest import CONFIG, SHAPE


def test_a_seed_fixes_every_byte(pictures):
    again = draw_pictures([9_000_001], SHAPE)
    for name, array in vars(again).items():
        assert array.tobytes() == getattr(pictures, name)[1:2].tobytes(), name
    assert (pictures.images[0] != pictures.images[1]).any()


def test_ids_and_names_are_those_of_the_world(pictures):
    world = make_world("room", 9_000_001)
    primitive, part, instance = pictures.levels(1)
    table = pictures.tables[1]
    owners = {i.instance_id: i for i in world.instances}
    for y, x in [(3, 4), (15, 20), (25, 33)]:
        owner = owners[instance[y, x]]
        k = primitive[y, x]
        assert world.part_ids[k] == part[y, x] and world.instance_ids[k] == instance[y, x]
        assert CLASSES[table[2, k]] == owner.class_name
        assert list(COLORS)[table[3, k]] == owner.color
        names = {p.part_id: p.name for p in owner.parts}
        assert PARTS[table[4, k]] == names[part[y, x]]
    assert (table[:, len(world.primitives) :] == -1).all()
    assert len(world.primitives) <= MAX_PRIMITIVES


def test_archives_come_back_as_one(pictures, tmp_path):
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in paths:
        pictures.save(path)
    both = load_pictures(paths)
    assert len(both) == 6
    for name, array in vars(pictures).items():
        np.testing.assert_array_equal(getattr(both, name), np.concatenate([array, array]))


def test_cameras_stray_from_the_worlds_own_path(monkeypatch):
    poses = []

    def remember(world, pose, *rest):
        poses.append(pose)
        return module_render(world, pose, *rest)

    module_render = module.render_view
    monkeypatch.setattr(module, "render_view", remember)
    seeds = range(9_000_003, 9_000_006)
    draw_pictures(seeds, SHAPE.model_copy(update={"views_per_world": 2}))
    assert len({pose.tobytes() for pose in poses}) == 6
    for n, pose in enumerate(poses):
        seed = seeds[n // 2]
        path = camera_path(make_world("tabletop" if seed % 3 == 0 else "room", seed), 720)
        away = np.linalg.norm(path[:, :3, 3] - pose[:3, 3], axis=1)
        turned = np.abs(path[:, :3, :3] - pose[:3, :3]).max(axis=(1, 2))
        assert (away + turned).min() > 1e-2


def seed_clashes(config):
    """Return the pairs of picture sets and procedural scenes that share a world's seed."""
    params = check(copy.deepcopy(config))
    picture_sets = params.networks.pictures.model_dump(exclude={"shape"})
    used = {k: range(v["first"], v["first"] + v["count"]) for k, v in picture_sets.items()}
    for name, dataset in params.datasets.items():
        if dataset.importer == "procedural":
            for scene, diff in dataset.scenes.items():
                seed = {**dataset.options, **diff}["seed"]
                used[f"{name}/{scene}"] = range(seed, seed + 1)
    sets = [key for key in used if "/" not in key]
    pairs = [(a, b) for a, b in combinations(used, 2) if a in sets]
    return [pair for pair in pairs if set(used[pair[0]]) & set(used[pair[1]])]


def test_no_world_serves_two_purposes():
    assert {"train", "check", "tune", "quality"} <= set(CONFIG["networks"]["pictures"])
    assert seed_clashes(CONFIG) == []


@pytest.mark.parametrize("seed", [1_000_000, 1_002_999, 4_000_005])
def test_a_scene_with_a_picture_s_seed_would_be_noticed(seed):
    config = copy.deepcopy(CONFIG)
    config["datasets"]["procedural"]["scenes"]["unfair"] = {"seed": seed}
    assert [pair[1] for pair in seed_clashes(config)] == ["procedural/unfair"]


def test_overlapping_sets_would_be_noticed():
    config = copy.deepcopy(CONFIG)
    config["networks"]["pictures"]["quality"]["first"] = 1_002_999
    assert seed_clashes(config) == [("train", "quality")]
