"""What 3DCS would teach by the predicted maps: the vote of the training, on maps from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.arrays import read_arrays
from semsplat.data.scene import Scene, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.class_maps import own_votes
from semsplat.features.lessons import Lesson, Lessons, open_lessons, write_lesson
from semsplat.features.teachers import IGNORED
from semsplat.io import read_json
from semsplat.train.coherent import vote
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import CLASSES, HEIGHT, WIDTH
from tests.unit.evaluate.test_class_maps import everywhere, scored, write_lessons, write_scene

NAMES = ("v0", "v1", "v2")
SHAPE = (HEIGHT, WIDTH)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Three training views and one that is held out."""
    with SceneWriter(tmp_path / "scene", **ORIGIN) as writer:
        for index, name in enumerate((*NAMES, "held_out")):
            split = "train" if name in NAMES else "test"
            writer.add_frame(name, random_image(), viewmat_at(index), K, split)
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    return load_scene(tmp_path / "scene")


def lessons_of(folder: Path, scene: Scene, tracks: list[np.ndarray] | None) -> Lessons:
    """Write lessons whose regions are one everywhere and whose tracks are these."""
    opened = open_lessons(write_lessons(folder, scene.scene_dir, {}))
    for index, frame in enumerate(scene.train):
        own = None if tracks is None else tracks[index].astype(np.int32)
        write_lesson(folder, frame.name, Lesson(everywhere(1), everywhere(0), own))
    return opened


@pytest.mark.parametrize("seed", range(5))
def test_the_vote_is_that_of_the_training(tmp_path: Path, scene: Scene, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = [rng.integers(-1, 4, SHAPE) for _ in NAMES]
    maps = {name: rng.integers(1, 4, SHAPE).astype(np.int32) for name in NAMES}
    lessons = lessons_of(tmp_path / "lessons", scene, tracks)
    found = {f.name: voted for f, voted in own_votes(scene, lessons, lambda f: maps[f.name])}
    assert found.keys() == maps.keys()
    for place, name in enumerate(NAMES):
        near = [place, *(i for i in (place - 1, place + 1) if 0 <= i < 3)]
        classes = [torch.tensor(maps[NAMES[i]]).long() for i in near]
        ids = [torch.tensor(tracks[i]).long() for i in near]
        expected = vote(classes, ids, 3, 1 + max(int(one.max()) for one in ids)).numpy()
        expected = np.where(expected == IGNORED, maps[name], expected)
        np.testing.assert_array_equal(found[name], expected)


def test_neighbours_outvote_a_view_where_a_track_joins_them(tmp_path: Path, scene: Scene) -> None:
    maps = {"v0": everywhere(5), "v1": everywhere(2), "v2": everywhere(5)}
    joined = lessons_of(tmp_path / "joined", scene, [np.zeros(SHAPE)] * 3)
    alone = lessons_of(tmp_path / "alone", scene, None)  # its own regions, which are 0 everywhere
    apart = lessons_of(tmp_path / "apart", scene, [np.full(SHAPE, i) for i in range(3)])
    for lessons, expected in ((joined, 5), (alone, 5), (apart, 2)):
        found = {f.name: voted for f, voted in own_votes(scene, lessons, lambda f: maps[f.name])}
        assert (found["v1"] == expected).all(), lessons.folder


def test_a_view_without_a_map_has_no_vote_and_gives_none(tmp_path: Path, scene: Scene) -> None:
    maps = {"v0": everywhere(5), "v2": everywhere(2)}
    lessons = lessons_of(tmp_path / "lessons", scene, [np.zeros(SHAPE)] * 3)
    found = {f.name: voted for f, voted in own_votes(scene, lessons, lambda f: maps.get(f.name))}
    assert found.keys() == maps.keys()
    assert (found["v0"] == 5).all() and (found["v2"] == 2).all()


def test_votes_are_scored_on_training_views_and_kept_for_pictures(tmp_path: Path) -> None:
    # both training views show the wall, 2; together the first takes it for a lamp, 5, by 3 : 1
    scene_dir = write_scene(tmp_path / "scene", {"b": everywhere(2)})
    quarter = everywhere(np.where(np.arange(WIDTH) < WIDTH // 2, 2, 5))
    views = {"train/a": quarter, "train/b": everywhere(5), "b": everywhere(2)}
    scores = scored(tmp_path, scene_dir, views)
    assert scores["metrics"]["own_vote_train_accuracy"] == 0
    assert scores["protocols"]["own_vote_train_miou"] == "clipgs/image_mean@1"
    assert not [name for name in scores["metrics"] if name.startswith("own_vote_miou")]
    votes = read_arrays(tmp_path / "results/evaluate/toys/shelf/clipgs_d/3/votes.npz")
    assert votes.keys() == {"train/a", "train/b"}
    assert (votes["train/a"] == 5).all() and votes["train/a"].dtype == np.uint16
    assert (
        "votes.npz"
        in read_json(tmp_path / "results/evaluate/toys/shelf/clipgs_d/3/scores.json")["files"]
    )
