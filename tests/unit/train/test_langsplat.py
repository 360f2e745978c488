"""LangSplat: what is attached, what is blended, its terms on a view by hand, and its answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from semsplat.bench.gpu.world import LEFT, RIGHT, world_x, write_levels
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.io import read_json
from semsplat.train.methods import langsplat
from semsplat.train.model import open_field
from tests.unit.train.conftest import PARAMS
from tests.unit.train.level_helpers import trained, write_geometry
from tests.unit.train.wired import features_of, frame, masks, name_of, stage_of, view

X, Y = [1.0, 0.0], [0.0, 1.0]
LAYERS = ["subpart", "part", "whole"]
SMALL = {"encoder": [4, 3], "decoder": [4], "epochs": 2, "batch": 4}


def told(**changes: Any) -> langsplat.Options:
    return langsplat.Options.model_validate(PARAMS["methods"]["langsplat"] | changes)


def small(**changes: Any) -> langsplat.Options:
    coder = PARAMS["methods"]["langsplat"]["autoencoder"] | SMALL
    return told(autoencoder=coder, **changes)


class Coder(nn.Module):
    """Codes (x, y, 0) of vectors (x, y)."""

    def encode(self, vectors: Tensor) -> Tensor:
        return nn.functional.pad(vectors, (0, 1))

    def forward(self, codes: Tensor) -> Tensor:
        return nn.functional.normalize(codes[..., :2], dim=-1)


def test_steps_and_rate_are_scaled_and_nothing_of_the_autoencoder():
    scaled = told(steps=100, lr=0.03).scaled(0.5, 4.0)
    assert scaled == told(steps=50, lr=0.12)


def three_levels(folder: Path) -> SceneFeatures:
    ids = [[0, 0], [0, 1]], [[2, 2], [2, 2]], [[-1, -1], [-1, 3]]
    views = [masks(*ids, vectors=[X, Y, Y, [-1.0, 0.0]]), masks(*ids, vectors=[X, X, Y, Y])]
    return features_of(folder, LAYERS, *views)


def test_a_gaussian_holds_a_code_per_level_and_the_coder_is_frozen(tmp_path):
    features = SceneFeatures(three_levels(tmp_path).folder, {"layers": LAYERS}, (name_of(0),))
    found = langsplat.attach(small(lr=0.3, init_std=0.2), None, features)
    assert (found.dim, found.init, found.init_std, found.rate) == (9, "normal", 0.2, 0.3)
    assert found.shape == {"out": 2, "encoder": [4, 3], "decoder": [4]}
    assert not any(weight.requires_grad for weight in found.decoder.parameters())
    assert found.facts["autoencoder_rows"] == 4
    again = langsplat.decoder(**found.shape)
    again.load_state_dict(found.decoder.state_dict())
    codes = torch.randn(2, 2, 3)
    assert torch.equal(again(codes), found.decoder(codes)) and not again.training
    assert not any(weight.requires_grad for weight in again.parameters())


def test_the_coder_sees_all_regions_of_training_views_alone(tmp_path):
    folder = three_levels(tmp_path).folder
    for names, rows in (
        ((name_of(0),), [X, Y, Y, [-1, 0]]),
        ((name_of(1), name_of(0)), [X, X, Y, Y, X, Y, Y, [-1, 0]]),
    ):
        features = SceneFeatures(folder, {"layers": LAYERS}, names)
        assert langsplat.training_vectors(features).tolist() == rows


def test_features_of_other_layers_are_refused(tmp_path):
    features = features_of(tmp_path, ["all"], masks([[0, 0], [0, 0]], vectors=[X]))
    with pytest.raises(SemsplatError, match=r"layers .* name a recipe"):
        langsplat.attach(told(), None, features)


def test_every_code_is_blended_with_length_one_whatever_its_own():
    semantics = torch.tensor([[3.0, 0, 4, 0, -2, 0, 1, 1, 1], [0.0] * 9])
    third = 3**-0.5
    expected = [0.6, 0, 0.8, 0, -1, 0, third, third, third]
    for factor in (1.0, 7.0, 1e-3):
        found = langsplat.shown(factor * semantics)
        assert found[0].tolist() == pytest.approx(expected, abs=1e-5)
        assert not found[1].any()


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    return stage_of(2, Coder(), features=three_levels(tmp_path))


def test_terms_are_means_over_all_pixels_of_three_numbers(stage):
    terms = langsplat.semantic_terms(told(), stage)
    # sub-part (1, 0, 0), part (0, 1/2, 1/4), whole (0, 0, 2) in every pixel
    blended = torch.tensor([[[1.0, 0, 0, 0, 0.5, 0.25, 0, 0, 2]] * 2] * 2)
    found = terms(0, view(0), blended)
    assert {name: value.item() for name, value in found.items()} == {
        "subpart": pytest.approx((1 + 1) / 12),  # the last pixel's code is (0, 1, 0)
        "part": pytest.approx(4 * (0.5 + 0.25) / 12),
        "whole": pytest.approx((1 + 2) / 12),  # of one pixel; the others count as right
    }
    other = terms(0, view(1), blended)
    assert other["subpart"].item() == 0  # this view's vectors are all (1, 0)
    assert other["whole"].item() == pytest.approx((1 + 2) / 12)


def test_a_pixel_without_a_region_teaches_nothing(stage):
    blended = torch.rand(2, 2, 9, requires_grad=True)
    langsplat.semantic_terms(told(), stage)(0, view(0), blended)["whole"].backward()
    assert blended.grad is not None
    moved = blended.grad.abs().sum(dim=-1)
    assert moved[1, 1] > 0 and moved.sum() == moved[1, 1]


def test_the_answer_renders_every_level_on_its_own(tmp_path):
    semantics, seen, asked = torch.tensor([[*X, 7, *Y, 7, 0.6, 0.8, 7]]), frame(0), []

    def blend(frame, shown):
        assert frame is seen
        asked.append(shown)
        return shown[None] / 2

    found = langsplat.vectors(
        SimpleNamespace(semantics=semantics, decoder=Coder(), blend=blend), seen
    )
    assert found.factors is None and found.maps.shape == (3, 1, 1, 2)
    assert found.maps[:, 0, 0].flatten().tolist() == pytest.approx([*X, *Y, 0.6, 0.8])
    assert [shown.tolist() for shown in asked] == [
        [[*X, 7]],
        [[*Y, 7]],
        [pytest.approx([0.6, 0.8, 7])],
    ]


def turned(init: Tensor, steps: int) -> Tensor:
    """Return a shown code that Adam leads to (1, 1, 1) for one step, then to +y."""
    code = nn.Parameter(init.clone())
    adam = torch.optim.Adam([code], 0.08, eps=1e-15)
    for step in range(steps):
        target = torch.tensor([[1.0, 1.0, 1.0] if step == 0 else [*Y, 0.0]])
        (langsplat.shown(code.repeat(1, 3))[:, :3] - target).abs().mean().backward()
        adam.step()
        adam.zero_grad()
    return langsplat.shown(code.detach().repeat(1, 3))[0, :3]


def test_a_code_of_zeros_stands_still_after_its_first_step_and_a_random_one_does_not():
    """The gradient at 0 is 1e9 times as steep as later ones, and Adam remembers it."""
    start = torch.full((1, 3), 0.01)
    assert turned(start, 300)[1] > 0.95
    short, long = turned(torch.zeros(1, 3), 100), turned(torch.zeros(1, 3), 900)
    assert torch.allclose(short, torch.full((3,), 3**-0.5), atol=1e-3)
    assert torch.allclose(short, long, atol=1e-3)


@pytest.fixture(scope="module")
def world(
    tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SceneFeatures, Path]:
    levels = write_levels(tmp_path_factory.mktemp("levels"), tiny_scene)
    return levels, write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)


def test_it_learns_and_answers_from_disk_and_its_coder_stays(tiny_scene, world, tmp_path):
    coder = PARAMS["methods"]["langsplat"]["autoencoder"]
    coder = coder | {"encoder": [8, 3], "decoder": [16], "lr": 0.01, "batch": 16}
    out = trained(tiny_scene, *world, tmp_path / "out", method="langsplat", autoencoder=coder)
    field = open_field(out, "cpu")
    codes = field.semantics.unflatten(-1, (3, -1)).norm(dim=-1)
    assert codes.flatten().tolist() == pytest.approx([1.0] * codes.numel(), abs=1e-5)
    numbers = read_json(out / "run.json")["numbers"]
    assert numbers["semantic_dim"] == 9 and numbers["autoencoder_cosine"] > 0.8
    assert numbers["autoencoder_rows"] == 7 * len(tiny_scene.train) and numbers["prepare_s"] > 0
    for seen in tiny_scene.test:
        right = torch.from_numpy(np.where((world_x(seen) > 0)[..., None], RIGHT, LEFT)).float()
        part = langsplat.vectors(field, seen).maps[1]
        assert (part * right).sum(-1).mean() > 0.9
