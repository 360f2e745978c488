"""3D-OVS: its losses by hand, when which of them is there, and what it moves."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from semsplat.radiance.batches import Pixels, generator_at
from semsplat.radiance.march import Samples, sampled
from semsplat.train.methods import threedovs
from semsplat.train.scale_targets import ScaleTargets
from semsplat.train.threedovs_field import (
    ThreeDovsField,
    correlation_terms,
    cosine_loss,
    divergence,
    relevancy_loss,
)
from tests.unit.radiance.conftest import small
from tests.unit.train.conftest import PARAMS
from tests.unit.train.radiant_helpers import moved_by, options_of, started, write_scales


@pytest.fixture(scope="module")
def features(tiny_scene, tmp_path_factory):
    return write_scales(tmp_path_factory.mktemp("crops"), tiny_scene)


@pytest.fixture(scope="module")
def with_dino(tiny_scene, tmp_path_factory):
    return write_scales(tmp_path_factory.mktemp("dino"), tiny_scene, dino=True)


def test_two_distributions_diverge_by_what_their_middle_says():
    p, q = torch.tensor([[1.0, 0.0], [0.5, 0.5]]), torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    assert divergence(p, q).item() == pytest.approx(math.log(2) / 2)
    p, q = torch.tensor([[0.8, 0.2]]), torch.tensor([[0.4, 0.6]])
    first = 0.8 * math.log(0.8 / 0.6) + 0.2 * math.log(0.2 / 0.4)
    second = 0.4 * math.log(0.4 / 0.6) + 0.6 * math.log(0.6 / 0.4)
    assert divergence(p, q).item() == pytest.approx((first + second) / 2)


def test_the_supervision_is_minus_the_cosine_with_the_chosen_mixture():
    rendered, chosen = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.25, 0.75, 0.0]])
    crops = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    expected = -0.25 / math.hypot(0.25, 0.75)
    assert cosine_loss(rendered, chosen, crops).item() == pytest.approx(expected)


def test_relevancies_are_aligned_as_distributions_over_classes():
    rendered, chosen = torch.tensor([[0.0, 3.0]]), torch.tensor([[0.5, 0.5]])
    crops, classes = torch.tensor([[[1.0, 0.0], [0.6, 0.8]]]), torch.eye(2)
    said = torch.tensor([[0.0, 1.0]]) / 0.5
    told = torch.tensor([[0.8, 0.4]]) / 0.5
    expected = divergence(said.softmax(-1), told.softmax(-1))
    found = relevancy_loss(rendered, chosen, crops, classes, 0.5)
    assert found.item() == pytest.approx(expected.item())


def test_pairs_that_dino_finds_alike_shall_agree_and_others_differ():
    keys = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    agree = torch.tensor([[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    alike = torch.tensor([[9.0, 0.0]] * 3)
    positive, negative = correlation_terms(agree, keys, 0.7, 1.0)
    shares = F.normalize(agree.softmax(-1), dim=-1)
    across = (shares[0] @ shares[2]).item()
    assert positive.item() == pytest.approx(-2 * 0.3 / 6)  # both orders of one pair of six
    assert negative.item() == pytest.approx(4 * 0.7 * across / 6)
    assert correlation_terms(alike, keys, 0.7, 1.0)[1] > negative


def field() -> ThreeDovsField:
    torch.manual_seed(0)
    return ThreeDovsField(small(), 2, 4, 5, 3, 2)


def some_samples() -> Samples:
    inside, weights = torch.rand(4, 6, 3) * 2 - 1, torch.rand(4, 6) / 6
    return Samples(torch.zeros(4, 0), torch.rand(4, 6) + 1, inside, weights)


def test_the_choice_is_a_softmax_at_points_blended_to_a_sum_of_1():
    known, samples = field(), some_samples()
    found = known.chosen(samples)
    points = known.choices(known.choice_grid(samples.inside.reshape(-1, 3))).softmax(-1)
    share = samples.weights / samples.weights.sum(-1, keepdim=True)
    expected = (share[..., None] * points.view(4, 6, 3)).sum(1)
    assert torch.allclose(found, expected, atol=1e-6)
    assert found.sum(-1).tolist() == pytest.approx([1.0] * 4)


def test_a_class_is_scored_by_its_cosine():
    known = field()
    known.classes.copy_(torch.eye(5)[:2])
    scores = known.class_scores(torch.tensor([[3.0, 4.0, 0, 0, 0]]))
    assert scores[0].tolist() == pytest.approx([0.6, 0.8])


def step_of(options, scene, features, n=32):
    _, stage, _ = started(threedovs, options, scene, features)
    batch = Pixels(scene.train, "cpu").drawn(n, generator_at(7, 0))
    samples = sampled(stage.decoder.radiance, batch.rays, generator_at(7, 1))
    targets = ScaleTargets(features, [frame.name for frame in scene.train], "cpu")
    return stage.decoder, batch, samples, targets


def test_features_move_no_density_and_both_losses_move_the_choice(tiny_scene, features):
    options = options_of(threedovs, "threedovs")
    known, batch, samples, targets = step_of(options, tiny_scene, features)
    parts = threedovs.feature_terms(known, options, batch, samples, targets)
    assert parts.keys() == {"crops", "relevancy"}
    named = dict(known.named_parameters())
    for term in parts.values():
        moved = moved_by(term, named)
        assert not any(k.startswith("radiance.") for k in moved)
        assert {"features.weight", "choices.weight", "feature_grid.planes"} <= moved


def test_terms_are_those_of_the_rays_pixels_and_their_weights(tiny_scene, features):
    options = options_of(threedovs, "threedovs", relevancy_weight=3.0)
    known, batch, samples, targets = step_of(options, tiny_scene, features)
    parts = threedovs.feature_terms(known, options, batch, samples, targets)
    heavy = samples.heaviest(3)
    said, chosen = known.rendered(heavy), known.chosen(heavy)
    crops = F.normalize(targets.all_at(batch.views, batch.places), dim=-1)
    assert parts["crops"].item() == pytest.approx(cosine_loss(said, chosen, crops).item())
    told = relevancy_loss(said, chosen, crops, known.classes, 1.0)
    assert parts["relevancy"].item() == pytest.approx(3 * told.item())


def test_with_dino_correlations_of_some_rays_have_their_weights(tiny_scene, with_dino):
    correlations = {**PARAMS["methods"]["threedovs"]["correlations"], "rays": 16}
    options = options_of(threedovs, "threedovs", correlations=correlations)
    known, batch, samples, targets = step_of(options, tiny_scene, with_dino)
    parts = threedovs.feature_terms(known, options, batch, samples, targets)
    scores = known.class_scores(known.rendered(samples.heaviest(3))[:16])
    keys = targets.dino_at(batch.views[:16], batch.places[:16])
    positive, negative = correlation_terms(scores, keys, 0.7, 0.2)
    assert parts["positive"].item() == pytest.approx(200 * positive.item(), rel=1e-5)
    assert parts["negative"].item() == pytest.approx(0.2 * negative.item(), rel=1e-5)


def test_colours_alone_then_features_alone_then_both(tiny_scene, features):
    options = options_of(threedovs, "threedovs")
    trainee, stage, _ = started(threedovs, options, tiny_scene, features)
    task = threedovs.task(options, trainee, stage)
    colours, crops = {"colours", "distortion"}, {"crops", "relevancy"}
    there = {step: set(task.objective(step, None)[0]) for step in (0, 59, 60, 79, 80, 119)}
    assert there == {
        0: colours, 59: colours, 60: crops, 79: crops, 80: colours | crops, 119: colours | crops,
    }  # fmt: skip
    assert task.steps == 120


def test_rates_fall_over_the_steps_of_their_own_phase(tiny_scene, features):
    options = options_of(threedovs, "threedovs")
    trainee, stage, _ = started(threedovs, options, tiny_scene, features)
    task = threedovs.task(options, trainee, stage)
    groups = trainee.decoder.optimizer.param_groups
    rate = {id(p): g for g in groups for p in g["params"]}
    own, planes = stage.decoder.features.weight, stage.decoder.radiance.density_grid.planes
    grid = stage.decoder.choice_grid.planes

    def at(step: int) -> list[float]:
        task.objective(step, None)
        return [rate[id(p)]["lr"] for p in (own, grid, planes)]

    first, root = options.lr, 0.1**0.5
    assert at(30) == pytest.approx([first.networks, first.grids, 0.05 * root])
    assert at(90) == pytest.approx([first.networks * root, first.grids * root, 0.005])
    assert all((group["betas"], group["eps"]) == ((0.9, 0.99), 1e-8) for group in groups)


def test_a_suite_scales_all_steps_down_to_their_floors():
    whole = threedovs.Options(**PARAMS["methods"]["threedovs"])
    half, least = whole.scaled(0.5, 9.0), whole.scaled(0.001, 9.0)
    assert (half.radiance.steps, half.steps, half.colours_from) == (15_000, 7_500, 2_500)
    assert (least.radiance.steps, least.steps, least.colours_from) == (1_000, 450, 150)
    assert half.lr == whole.lr
