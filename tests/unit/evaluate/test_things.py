"""What a scene offers: levels and distances of its things, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.data.scene import Frame, Scene, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate import things
from semsplat.evaluate.things import best_iou, measure_things, things_of
from semsplat.features.store import SceneFeatures, ViewFeatures
from tests.unit.data.scene_helpers import ORIGIN, K, viewmat_at

LAMP, DESK = (slice(0, 4), slice(0, 8)), (slice(6, 12), slice(0, 10))  # 32 and 60 pixels


def ids(*places: Any) -> np.ndarray:
    """Return ids [12, 16] with 0, 1, ... at these places, -1 elsewhere."""
    found = np.full((12, 16), -1, np.int16)
    for index, place in enumerate(places):
        found[place] = index
    return found


def scene_of(folder: Path, views: dict[str, np.ndarray]) -> Scene:
    """Return a scene of training views with these instance maps."""
    with SceneWriter(folder, **ORIGIN) as writer:
        for place, (name, instances) in enumerate(views.items()):
            image = np.zeros((12, 16, 3), np.uint8)
            writer.add_frame(name, image, viewmat_at(place), K, "train", instances=instances)
    return load_scene(folder)


class Fake(SceneFeatures):
    """Features that are not on disk."""

    def __init__(self, layers: list[str], views: dict[str, ViewFeatures]) -> None:
        super().__init__(Path(), {"layers": layers})
        object.__setattr__(self, "views", views)

    def view(self, name: str) -> ViewFeatures:
        """Return a view."""
        return self.views[name]  # type: ignore[attr-defined,no-any-return]


def view(*layers: np.ndarray, depth: np.ndarray | None = None) -> ViewFeatures:
    """Return a view's features."""
    return ViewFeatures(np.stack(layers), np.ones(1, np.float16), depth=depth)


@pytest.fixture
def room(tmp_path: Path) -> Scene:
    """A lamp and a desk in two views, a crumb in one."""
    instances = (ids(LAMP, DESK) + 1).astype(np.int32)
    crumb = instances.copy()
    crumb[5, :3] = 3
    return scene_of(tmp_path / "scene", {"near": instances, "far": crumb})


def test_things_are_instances_of_some_size(room: Scene) -> None:
    for frame in room.train:
        assert {name: int(mask.sum()) for name, mask in things_of(frame).items()} == {
            "1": 32,
            "2": 60,
        }


def test_without_instance_maps_things_are_what_is_annotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SceneWriter(tmp_path / "scene", **ORIGIN) as writer:
        corners = [[0, 0], [9, 0], [9, 4], [0, 4]]  # 10 x 5 pixels
        said = [{"category": "lamp", "bbox": [0, 0, 9, 4], "segmentation": corners}]
        image = np.zeros((12, 16, 3), np.uint8)
        writer.add_frame("a", image, viewmat_at(0), K, "train", annotations=said)
        writer.add_frame("b", image, viewmat_at(1), K, "train")
    first, second = load_scene(tmp_path / "scene").train
    assert {k: int(v.sum()) for k, v in things_of(first).items()} == {"lamp": 50}
    assert things_of(second) == {}


def test_the_best_region_of_a_level_by_hand() -> None:
    mask = ids(LAMP) >= 0
    half = (slice(0, 2), slice(0, 8))
    wide = (slice(0, 4), slice(0, 16))
    assert best_iou(mask, ids(LAMP)) == 1
    assert best_iou(mask, ids(half, (slice(2, 4), slice(0, 2)))) == 0.5
    assert best_iou(mask, ids(DESK, wide)) == 0.5  # 32 of 64
    assert best_iou(mask, ids(DESK)) == 0 == best_iou(mask, ids())


def test_levels_differ_where_things_are_best_on_different_ones(room: Scene) -> None:
    both, lamp, desk = ids(LAMP, DESK), ids(LAMP), ids(DESK)

    def share(*layers: np.ndarray) -> Any:
        views = {frame.name: view(*layers) for frame in room.train}
        features = Fake(["subpart", "part", "whole"][: len(layers)], views)
        return measure_things(room, features).get("best_level_differs")

    assert share(lamp, desk) == 0.5 and share(both, lamp) == 0 and share(ids(), both) == 0
    assert share(ids(), ids()) is None and share(both) is None  # nothing to choose


def test_a_level_is_the_best_on_the_mean_of_its_views(room: Scene) -> None:
    half = ids((slice(0, 2), slice(0, 8)), DESK)  # lamp at 0.5, desk at 1
    most = ids((slice(0, 3), slice(0, 8)), DESK)  # lamp at 0.75
    views = {"near": view(ids(LAMP), half), "far": view(ids(), most)}  # lamp: 0.5 against 0.625
    assert measure_things(room, Fake(["part", "whole"], views))["best_level_differs"] == 0


def test_distances_are_those_of_the_median_thing_from_far_and_near(room: Scene) -> None:
    near, far = np.full((2, 12, 16), 2.0, np.float16)
    far[DESK] = 9.0  # the lamp stays at 2, the desk goes from 2 to 9
    far[0, :3] = 0  # nothing is drawn there
    views = {"near": view(ids(), depth=near), "far": view(ids(), depth=far)}
    facts = measure_things(room, Fake(["all"], views))
    assert facts == {"n_things": 2, "distance_ratio": pytest.approx((1 + 4.5) / 2)}


def test_without_truth_or_depth_nothing_is_said(tmp_path: Path, room: Scene) -> None:
    views = {frame.name: view(ids(), ids()) for frame in room.train}
    assert "distance_ratio" not in measure_things(room, Fake(["a", "b"], views))
    empty = scene_of(tmp_path / "empty", {"near": np.zeros((12, 16), np.int32)})
    assert measure_things(empty, Fake(["a", "b"], views)) == {"n_things": 0}


def test_a_view_without_things_has_no_features_read(room: Scene, monkeypatch: Any) -> None:
    def nothing(frame: Frame) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(things, "things_of", nothing)
    assert measure_things(room, Fake(["a", "b"], {})) == {"n_things": 0}
