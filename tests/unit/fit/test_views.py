"""Photographs are decoded once where memory holds them."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from semsplat.fit import views
from semsplat.fit.inputs import Inputs
from semsplat.fit.views import Photographs, load_view, views_in_order


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
