"""LangSplatV2: what is attached, its terms on a view by hand, and what it learns from disk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from semsplat.bench.gpu.world import LEFT, RIGHT, world_x, write_levels
from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.io import read_json
from semsplat.train.methods import langsplat_v2
from semsplat.train.model import open_field
from semsplat.train.sparse_codes import Codebooks
from tests.unit.train.conftest import PARAMS
from tests.unit.train.level_helpers import trained, write_geometry
from tests.unit.train.wired import features_of, frame, masks, name_of, stage_of, view

X, Y = [1.0, 0.0], [0.0, 1.0]
LAYERS = ["subpart", "part", "whole"]
RATES = {"semantics": 0.03, "decoder": 0.07}


def told(**changes: Any) -> langsplat_v2.Options:
    options = PARAMS["methods"]["langsplat_v2"] | {"entries": 4}
    return langsplat_v2.Options.model_validate(options | changes)


def three_levels(folder: Path) -> SceneFeatures:
    ids = [[0, 0], [0, 1]], [[2, 2], [2, 2]], [[-1, -1], [-1, 3]]
    views = [masks(*ids, vectors=[X, Y, Y, [-1.0, 0.0]]), masks(*ids, vectors=[X, X, Y, Y])]
    return features_of(folder, LAYERS, *views)


def training(folder: Path, *places: int) -> SceneFeatures:
    names = tuple(name_of(place) for place in places)
    return SceneFeatures(three_levels(folder).folder, {"layers": LAYERS}, names)


def test_steps_and_rates_are_scaled_and_a_gaussian_holds_three_times_the_entries():
    scaled = told(steps=100, lr=RATES, entries=64).scaled(0.5, 2.0)
    assert (scaled.steps, scaled.lr.semantics, scaled.lr.decoder) == (50, 0.06, 0.14)
    assert scaled.held(512) == 192


def test_a_gaussian_holds_logits_and_codebooks_begin_with_their_own_level(tmp_path):
    found = langsplat_v2.attach(told(lr=RATES, init_std=0.2), None, training(tmp_path, 0))
    assert (found.dim, found.init, found.init_std, found.rate) == (12, "normal", 0.2, 0.03)
    assert (found.decoder_rate, found.shape) == (0.07, {"out": 2, "entries": 4})
    entries = found.decoder.entries
    assert entries.requires_grad
    assert entries.tolist() == [[Y, X, Y, X], [Y] * 4, [[-1.0, 0.0]] * 4]
    again = langsplat_v2.decoder(**found.shape)
    again.load_state_dict(found.decoder.state_dict())
    assert torch.equal(again.entries, entries)


def test_codebooks_see_training_views_alone(tmp_path):
    assert [rows.tolist() for rows in langsplat_v2.level_vectors(training(tmp_path, 1, 0))] == [
        [X, X, X, Y],
        [Y, Y],
        [Y, [-1.0, 0.0]],
    ]


def test_vectors_of_regions_may_be_entries(tmp_path):
    options = told(start="regions", entries=4)
    entries = langsplat_v2.attach(options, None, training(tmp_path, 0)).decoder.entries
    assert sorted(entries[0].tolist()) == sorted([X, X, Y, Y])


def test_features_of_other_layers_are_refused(tmp_path):
    features = features_of(tmp_path, ["all"], masks([[0, 0], [0, 0]], vectors=[X]))
    with pytest.raises(SemsplatError, match=r"layers .* name a recipe"):
        langsplat_v2.attach(told(), None, features)


def test_four_of_each_level_are_blended():
    logits = torch.arange(18.0).view(1, 18)
    found = langsplat_v2.shown(logits).view(3, 6)
    four = torch.tensor([0.0, 1, 2, 3]).softmax(-1).tolist()
    for level in found:
        assert level.tolist() == pytest.approx([0, 0, *four], abs=1e-6)


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    books = Codebooks(3, 4, 2)
    with torch.no_grad():
        books.entries.copy_(torch.tensor([[X, Y, X, Y], [X, X, Y, Y], [Y, Y, Y, X]]))
    return stage_of(2, books, features=three_levels(tmp_path))


BLENDED = [[1.0, 0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0, 2]]
"""x, x + y of half each, and 2 x."""


@pytest.mark.parametrize(
    ("distance", "subpart", "part", "whole"),
    [
        ("cosine", 1 / 4, 1 - 0.5**0.5, 2.0),  # y in one pixel of four; y; -x in one pixel
        ("squared", 2 / 4, 0.25 + 0.25, 9.0),
    ],
)
def test_terms_are_means_over_the_pixels_of_a_level(stage, distance, subpart, part, whole):
    terms = langsplat_v2.semantic_terms(told(distance=distance), stage)
    blended = torch.tensor([BLENDED * 2] * 2)
    found = {name: value.item() for name, value in terms(0, view(0), blended).items()}
    assert found == {
        "subpart": pytest.approx(subpart),
        "part": pytest.approx(part),
        "whole": pytest.approx(whole),
    }
    other = terms(0, view(1), blended)
    assert other["subpart"].item() == pytest.approx(0)  # this view's vectors are all x


def test_a_pixel_without_a_region_teaches_nothing_and_codebooks_learn(stage):
    blended = torch.tensor([BLENDED * 2] * 2).requires_grad_()
    langsplat_v2.semantic_terms(told(), stage)(0, view(0), blended)["part"].backward()
    assert blended.grad is not None
    assert blended.grad[..., 4:8].any() and not blended.grad[..., :4].any()
    grad = stage.decoder.entries.grad
    assert grad[1].any() and not grad[0].any() and not grad[2].any()
    blended.grad = None
    langsplat_v2.semantic_terms(told(distance="squared"), stage)(0, view(0), blended)[
        "whole"
    ].backward()
    moved = blended.grad.abs().sum(dim=-1)
    assert moved[1, 1] > 0 and moved.sum() == moved[1, 1]


def test_the_answer_decodes_what_is_blended(stage):
    seen = frame(0)
    blended = torch.tensor([BLENDED * 2] * 2)
    field = SimpleNamespace(decoder=stage.decoder, blend=lambda asked: asked is seen and blended)
    found = langsplat_v2.vectors(field, seen)
    assert found.factors is None and found.maps.shape == (3, 2, 2, 2)
    expected = torch.tensor([X, F.normalize(torch.ones(2), dim=0).tolist(), X])
    assert torch.allclose(found.maps[:, 0, 0], expected)


def test_it_learns_and_answers_from_disk(tiny_scene, tmp_path):
    levels = write_levels(tmp_path / "levels", tiny_scene)
    geometry = write_geometry(tmp_path / "geometry", tiny_scene)
    rates = {"semantics": 0.05, "decoder": 0.001}
    out = trained(
        tiny_scene, levels, geometry, tmp_path / "out", method="langsplat_v2", lr=rates, entries=8
    )
    field = open_field(out, "cpu")
    codes = field.semantics.unflatten(-1, (3, 8))
    assert ((codes > 0).sum(dim=-1) == 4).all()
    assert read_json(out / "run.json")["numbers"]["semantic_dim"] == 24
    for seen in tiny_scene.test:
        right = torch.from_numpy(np.where((world_x(seen) > 0)[..., None], RIGHT, LEFT)).float()
        part = langsplat_v2.vectors(field, seen).maps[1]
        assert (part * right).sum(-1).mean() > 0.9
