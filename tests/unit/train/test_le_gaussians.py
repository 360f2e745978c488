"""LEGaussians: losses by hand, and what reaches them from views, weights and steps."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW

from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.train.attached import attach_to
from semsplat.train.linear import Linear
from semsplat.train.methods import le_gaussians
from semsplat.train.quantised import (
    QuantisedField,
    smoothing_terms,
    sure_cross_entropy,
    uncertainty_cost,
)
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import features_of, masks, name_of, stage_of, view

TOLD = PARAMS["methods"]["le_gaussians"]
ONE = [[0, 0], [0, 0]]
TABLE = torch.tensor([[3.0, 0.0], [0.0, 0.5]])


def options(**changes: Any) -> le_gaussians.Options:
    book = TOLD["codebook"] | {"entries": 2, "epochs": 30, "lr": 0.02}
    return le_gaussians.Options.model_validate(TOLD | {"dim": 2, "codebook": book} | changes)


# the losses


def test_uncertain_pixels_count_less() -> None:
    logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), 0.0]]])  # CE log 2, and of entry 1 log 4
    entries, unsure = torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.25]])
    expected = (0.5 * math.log(2) + 0.75 * math.log(4)) / 2
    assert sure_cross_entropy(logits, entries, unsure).item() == pytest.approx(expected)


def test_what_is_wrong_makes_uncertain_and_being_so_costs() -> None:
    unsure = torch.tensor([[0.5]], requires_grad=True)
    loss = sure_cross_entropy(torch.zeros(1, 1, 4), torch.tensor([[2]]), unsure)
    (slope,) = torch.autograd.grad(loss, unsure)
    assert slope.item() == pytest.approx(-math.log(4))
    cost = uncertainty_cost(torch.tensor([[0.5, 0.0, 0.75]]))
    assert cost.item() == pytest.approx((math.log(2) + math.log(4)) / 3)
    assert uncertainty_cost(torch.ones(1, 1)).isfinite()


def test_the_unsure_are_drawn_to_what_is_around_them() -> None:
    around = torch.tensor([[1.0, 0.0], [0.0, 0.0]], requires_grad=True)
    held = torch.tensor([[0.0, 0.0], [0.0, 2.0]], requires_grad=True)
    unsure = torch.tensor([0.5, 0.0], requires_grad=True)
    terms = smoothing_terms(around, held, unsure)
    assert terms["mlp"].item() == pytest.approx((1 + 4) / 4)
    # w = 0.1 * 0.5 + 0.5 and 0.1
    assert terms["smooth"].item() == pytest.approx((0.55 * 1 + 0.1 * 4) / 4)
    to_network = torch.autograd.grad(terms["mlp"], [around, held], allow_unused=True)
    to_numbers = torch.autograd.grad(terms["smooth"], [around, held, unsure], allow_unused=True)
    assert to_network[0].any() and to_network[1] is None
    assert to_numbers[0] is None and to_numbers[1].any() and to_numbers[2] is None


# the field


def identity_field() -> QuantisedField:
    """A field of two numbers, which are the logits of two entries."""
    field = QuantisedField(2, 2, 2, 0)
    field.classify = nn.Identity()  # type: ignore[assignment]
    field.codebook.copy_(TABLE)
    return field


def test_layers_have_the_released_widths() -> None:
    field = QuantisedField(8, 128, 512, 0)
    widths = [[m.weight.shape[0] for m in part if isinstance(m, nn.Linear)]
              for part in (field.classify, field.smooth)]  # fmt: skip
    assert widths == [[128, 256, 128], [128, 128, 128, 128, 8]]
    assert [type(m) for m in field.classify] == [Linear, nn.ReLU, Linear, nn.ReLU, Linear]
    assert isinstance(field.smooth[-1], nn.Linear) and field.smooth[0].weight.shape[1] == 3


def test_a_query_mixes_the_rows_as_they_are_by_softmax_of_normalised_numbers() -> None:
    field = identity_field()
    found = field(torch.tensor([[30.0, 40.0, 0.9]]))  # the uncertainty names nothing
    a, b = math.exp(0.6), math.exp(0.8)
    mixed = torch.tensor([[3.0 * a / (a + b), 0.5 * b / (a + b)]])
    assert torch.allclose(found, nn.functional.normalize(mixed), atol=1e-6)


def test_what_is_blended_has_an_uncertainty_and_starts_almost_sure() -> None:
    held = torch.tensor([[5.0, -7.0, 0.0], [1.0, 2.0, 0.1]])
    shown = le_gaussians.shown(held)
    assert shown[:, :2].equal(held[:, :2])
    assert shown[0, 2].item() == pytest.approx(0.01, rel=1e-5)
    # a tenth of a unit is five logits
    assert shown[1, 2].item() == pytest.approx(1 / (1 + math.exp(4.59511985 - 5)), rel=1e-5)


def test_rates_and_the_interval_are_scaled_and_nothing_else() -> None:
    scaled = options().scaled(0.3, 5.0)
    assert scaled.lr.semantics == scaled.lr.decoder == pytest.approx(5e-3)
    assert scaled.smoothing.every == 3 and options().scaled(0.01, 1.0).smoothing.every == 1
    unscaled = scaled.model_copy(update={"lr": options().lr, "smoothing": options().smoothing})
    assert unscaled == options()


# the wiring


@pytest.fixture
def features(tmp_path) -> SceneFeatures:
    """View 0 has entry 0 on its left, entry 1 on its right; view 1 the reverse; 2 from above."""
    left, right = [[[1.0, 0.0]], [[0.0, 1.0]]], [[[0.0, 1.0]], [[1.0, 0.0]]]
    above = [[[1.0], [0.0]], [[0.0], [1.0]]]
    views = (masks(ONE, dense=left), masks(ONE, dense=right), masks(ONE, dense=above))
    return features_of(tmp_path / "pyramid", ["all"], *views)


def stage(features: SceneFeatures, held: Tensor) -> Any:
    return stage_of(len(held), identity_field(), held, features=features)


def test_only_training_views_are_quantised(features, monkeypatch) -> None:
    seen: list[Any] = []
    known = SceneFeatures(features.folder, features.manifest, (name_of(1), name_of(0)))
    monkeypatch.setattr(
        "semsplat.train.codebook.train_codebook",
        lambda views, parts, told, _: seen.append((views, parts, told)) or TABLE,
    )
    found = le_gaussians.attach(options(), None, known)
    assert [v.tolist() for v in seen[0][0]] == [[[0, 1], [1, 0]], [[1, 0], [0, 1]]]
    assert seen[0][1:] == ((2, 0, 0.5), options().codebook)
    assert found.shape == {"dim": 2, "entries": 2, "out": 2, "dino": 0}
    assert found.facts == {"lacks": "DINO"}
    assert cast(QuantisedField, found.decoder).codebook.equal(TABLE)
    assert (found.dim, found.rate, found.decoder_rate) == (3, 1e-3, 1e-3)
    assert cast(Tensor, found.init_std).tolist() == [1.0, 1.0, 0.0]
    again = le_gaussians.decoder(**found.shape)
    again.load_state_dict(found.decoder.state_dict())


def test_a_recipe_without_dense_maps_is_one_line(tmp_path) -> None:
    written = features_of(tmp_path / "bare", ["all"], masks(ONE))
    bare = SceneFeatures(written.folder, written.manifest, (name_of(0),))
    with pytest.raises(SemsplatError, match="no dense maps; set pyramid_maps"):
        le_gaussians.training_maps(bare, 0.5)


def test_weights_of_the_networks_decay_and_numbers_do_not(features) -> None:
    known = SceneFeatures(features.folder, features.manifest, (name_of(0),))
    for decay, kind in ((0.25, AdamW), (0.0, Adam)):
        trainee = cast(Any, SimpleNamespace(gaussians={"means": torch.zeros(3, 3)}, optimizers={}))
        given = le_gaussians.attach(options(decoder_decay=decay), None, known)
        attach_to(trainee, given, 1e-15, torch.Generator())
        optimizer = trainee.decoder.optimizer
        assert type(optimizer) is kind and type(trainee.optimizers["semantics"]) is Adam
        assert [g["weight_decay"] for g in optimizer.param_groups] == [decay]
        assert len(optimizer.param_groups[0]["params"]) == 2 * (3 + 5)  # classify's and smooth's
        assert trainee.optimizers["semantics"].param_groups[0]["weight_decay"] == 0
    assert options().decoder_decay == 1e-5


# with DINO


@pytest.fixture
def with_dino(tmp_path) -> SceneFeatures:
    """One view: CLIP sees the same everywhere, DINO something else on the right."""
    dense, dino = [[[1.0, 1.0]], [[0.0, 0.0]]], [[[1.0, 0.0]], [[0.0, 2.0]], [[0.0, 0.0]]]
    both = replace(masks(ONE, dense=dense), dino=np.array(dino, np.float16))
    written = features_of(tmp_path / "dino", ["all"], both)
    return SceneFeatures(written.folder, written.manifest, (name_of(0),))


def test_dinos_numbers_stand_behind_clips(with_dino, monkeypatch) -> None:
    seen: list[Any] = []
    table = torch.tensor([[3.0, 0, 1, 0, 0], [0, 0.5, 0, 1, 0]])
    monkeypatch.setattr(
        "semsplat.train.codebook.train_codebook",
        lambda views, parts, *_: seen.append((views, parts)) or table,
    )
    book = options().codebook.model_copy(update={"dino_weight": 0.25})
    found = le_gaussians.attach(options(codebook=book.model_dump()), None, with_dino)
    ((maps,), parts) = seen[0]
    assert maps.tolist() == [[1, 0, 1, 0, 0], [1, 0, 0, 2, 0]] and parts == (2, 3, 0.25)
    assert found.shape == {"dim": 2, "entries": 2, "out": 2, "dino": 3} and found.facts == {}
    assert cast(QuantisedField, found.decoder).codebook.equal(table)
    assert found.decoder(torch.zeros(4, 3)).shape == (4, 2)


def test_a_query_reads_clips_part_alone() -> None:
    plain, both = identity_field(), QuantisedField(2, 2, 2, 3)
    both.classify = nn.Identity()  # type: ignore[assignment]
    both.codebook.copy_(torch.cat([TABLE, torch.full((2, 3), 50.0)], dim=1))
    blended = torch.tensor([[30.0, 40.0, 0.9], [1.0, -1.0, 0.0]])
    assert both(blended).equal(plain(blended))


def test_what_dino_sees_names_entries_while_training(with_dino) -> None:
    field = QuantisedField(2, 2, 2, 3)
    field.classify = nn.Identity()  # type: ignore[assignment]
    # the second entry is a little less what CLIP sees: cosines 1 and 0.8
    field.codebook.copy_(torch.tensor([[1.0, 0, 1, 0, 0], [0.8, 0.6, 0, 1, 0]]))
    right_named = {0.5: [[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]], 0.1: [[9.0, 0.0, 0.0]] * 2}
    for weight, numbers in right_named.items():
        book = options().codebook.model_copy(update={"dino_weight": weight})
        staged = stage_of(1, field, torch.zeros(1, 3), features=with_dino)
        terms = le_gaussians.semantic_terms(options(codebook=book.model_dump()), staged)
        loss = terms(1, view(0), blended_of(numbers))["semantic"]
        assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 1)), rel=1e-5)


def blended_of(rows: list[list[float]]) -> Tensor:
    """Return a map of 2 x 2 pixels: left and right column."""
    return torch.tensor([rows, rows], requires_grad=True)


def test_every_step_compares_a_view_with_its_own_entries(features) -> None:
    terms = le_gaussians.semantic_terms(options(smoothing={"every": 3, "weight": 1.0}),
                                        stage(features, torch.zeros(2, 3)))  # fmt: skip
    # left names entry 0 and right entry 1, both without doubt
    blended = blended_of([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]])
    right = -math.log(math.exp(1) / (math.exp(1) + 1))
    wrong = -math.log(1 / (math.exp(1) + 1))
    for place, each in ((0, right), (1, wrong)):
        found = terms(1, view(place), blended)
        assert set(found) == {"semantic", "uncertainty"}
        assert found["semantic"].item() == pytest.approx((each + 0.5 * each) / 2, rel=1e-5)
        assert found["uncertainty"].item() == pytest.approx(math.log(2) / 2)


def test_entries_lie_as_the_maps_cells_do(features) -> None:
    terms = le_gaussians.semantic_terms(options(), stage(features, torch.zeros(3, 3)))
    rows = torch.tensor([[[9.0, 0.0, 0.0]] * 2, [[0.0, 9.0, 0.0]] * 2])
    right = terms(1, view(2), rows)["semantic"]
    assert right < 0.5 < 1 < terms(1, view(2), rows.flip(0))["semantic"]


def test_smoothing_comes_at_its_steps_with_its_weight_and_asks_positions(features) -> None:
    held = torch.tensor([[1.0, 2.0, 0.0], [3.0, 4.0, 0.1]])
    staged = stage(features, held)
    asked: list[Tensor] = []
    staged.decoder.smooth = nn.Identity()
    staged.decoder.smooth.forward = lambda x: asked.append(x) or torch.zeros(2, 2)
    told = options(smoothing={"every": 2, "weight": 0.5}, uncertainty_weight=0.25)
    terms = le_gaussians.semantic_terms(told, staged)
    blended = blended_of([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    assert set(terms(3, view(0), blended)) == {"semantic", "uncertainty"} and not asked
    found = terms(4, view(0), blended)
    assert asked[0].equal(staged.gaussians["means"]) and not asked[0].requires_grad
    assert found["uncertainty"].item() == pytest.approx(0.25 * math.log(2))
    assert found["mlp"].item() == pytest.approx(0.5 * (1 + 4 + 9 + 16) / 4)
    u = le_gaussians.shown(held)[:, 2]
    w = (0.1 * (1 - u) + u).tolist()
    expected = 0.5 * (w[0] * 5 + w[1] * 25) / 4
    assert found["smooth"].item() == pytest.approx(expected, rel=1e-5)
