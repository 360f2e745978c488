"""Photographs are decoded once where memory holds them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.fit import views
from semsplat.fit.inputs import Inputs
from semsplat.fit.views import Camera, Photographs, load_view, of_view, views_in_order
from tests.unit.data.scene_helpers import ORIGIN, K, viewmat_at


@pytest.fixture
def decoded(monkeypatch) -> Counter:
    """Count how often each frame's file is decoded."""
    counts: Counter = Counter()

    def load(frame):
        counts[frame.name] += 1
        return original(frame)

    original = views.load_image
    monkeypatch.setattr(views, "load_image", load)
    return counts


def test_a_training_decodes_each_photograph_once(tiny_scene, decoded):
    n = len(tiny_scene.train)
    list(
        views_in_order(
            tiny_scene.train, range(3 * n), 0, lambda step: 1 - step / 9 / n, Inputs("cpu")
        )
    )
    assert len(decoded) == n and set(decoded.values()) == {1}


def test_what_memory_does_not_hold_is_decoded_again(tiny_scene, decoded):
    one = views.load_image(tiny_scene.train[0]).nbytes
    decoded.clear()
    photographs = Photographs(tiny_scene.train, kept_bytes=one)
    for place in (0, 0, 1, 0):
        photographs.read(place)
    first, second = (frame.name for frame in tiny_scene.train[:2])
    assert decoded == {first: 2, second: 1}


def test_a_kept_photograph_gives_the_view_that_its_file_gives(tiny_scene):
    steps, inputs = range(2 * len(tiny_scene.train)), Inputs("cpu")
    in_order = views_in_order(tiny_scene.train, steps, 0, lambda _: 0.5, inputs)
    seen = {view.name: view for view in in_order}
    for frame in tiny_scene.train:
        expected = load_view(frame, 0.5, Inputs("cpu"))
        assert torch.equal(seen[frame.name].image, expected.image)
        assert torch.equal(seen[frame.name].K, expected.K)


def test_two_sizes_of_one_width_are_two_pictures(tmp_path: Path) -> None:
    """160x120 pixels become 81 wide at both scales, and 60 or 61 high."""
    with SceneWriter(tmp_path / "scene", **ORIGIN) as writer:
        image = np.zeros((120, 160, 3), np.uint8)
        writer.add_frame("a", image, viewmat_at(0.0), K, "train")
    (frame,) = load_scene(tmp_path / "scene").train
    inputs = Inputs("cpu")
    for scale, height in ((0.5035, 60), (0.505, 61)):
        view = load_view(frame, scale, inputs)
        assert (view.width, view.height) == (81, height)
        assert view.image.shape == (height, 81, 3)
        assert view.K[1, 1] == pytest.approx(K[1][1] * height / 120)


def test_what_is_kept_of_a_view_is_kept_by_what_it_is_whose_and_how_large():
    inputs, read = Inputs("cpu"), []

    def kept(what: str, name: str, width: int, height: int) -> Tensor:
        camera = Camera(name, torch.eye(4), torch.eye(3), width, height)
        read.append(array := np.full((height, width), len(read)))
        return of_view(what, camera, lambda: array, inputs)

    asked = [("ids", "a", 4, 3), ("levels", "a", 4, 3), ("ids", "b", 4, 3), ("ids", "a", 5, 3)]
    asked += [("ids", "a", 4, 2)]
    for _ in range(2):  # the second time all are kept
        for place, one in enumerate(asked):
            found = kept(*one)
            assert found.shape == one[:1:-1] and (found == place).all()
