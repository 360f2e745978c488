"""CGC's terms for every option on one view of 2 x 2 pixels and four Gaussians, by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from semsplat.train.methods import Stage, cgc
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import features_of, masks, stage_of, view

LN2 = math.log(2)
ROWS = [[0, 0], [1, 1]]
# two masks whose pixels are (1, 0), (0, 1) and (-1, 0), (0, 1) at length 1
PICTURE = torch.tensor([[[2.0, 0], [0, 0.5]], [[-3.0, 0], [0, 1]]])
PHI = math.sqrt(2) / (2 * math.log(102))
"""each pixel is 1/sqrt 2 from its mask's mean, (1/2, 1/2) or (-1/2, 1/2)"""
FEATURES = torch.tensor([[1.0, 0], [0, 2], [3, 0], [-1, 0]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def options(**changes: Any) -> cgc.Options:
    """Return the contrast at every 2nd step, the regularisation of all Gaussians at every 3rd."""
    values = PARAMS["methods"]["cgc"]
    contrast = values["contrast"] | {"weight": 0.5, "every": 2, "more_than_px": 0, "pixels_of": 4}
    spatial = values["spatial"] | {
        "near_weight": 0.5, "far_weight": 0.25, "every": 3, "samples": 4, "samples_of": 4,
        "near": 1, "far": 1,
    }  # fmt: skip
    return cgc.Options(
        **values | {"contrast": contrast | changes.get("contrast", {}),
                    "spatial": spatial | changes.get("spatial", {})}
    )  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return one view, and four Gaussians at 0, 1, 3 and 7 on a line."""
    made = stage_of(
        4, cgc.decoder(), FEATURES, features=features_of(tmp_path, ["all"], masks(ROWS))
    )
    with torch.no_grad():
        made.gaussians["means"][:, 0] = torch.tensor([0.0, 1, 3, 7])
    return made


def terms(stage: Stage, step: int = 0, blended: Tensor | None = PICTURE, **changes: Any):
    chosen = options(**changes)
    found = cgc.semantic_terms(chosen, stage)(
        step, view(0), blended if chosen.blends(step) else None
    )
    return {name: value.item() for name, value in found.items()}


@pytest.mark.parametrize(("rule", "phi"), [("paper", PHI), ("code", 1.0)])  # 10 PHI is cut to 1
def test_the_contrast_has_its_weight_and_temperature(stage, rule, phi):
    # own mean against the other: 1/2 against -1/2 for the first pixel of a mask, 1/2 against 1/2
    # for the second; two masks pay twice that, and it is a mean over masks
    expected = 0.5 * (math.log1p(math.exp(-1 / phi)) + LN2)
    found = terms(stage, contrast={"temperature": rule})["contrast"]
    assert found == pytest.approx(expected, rel=1e-5)
    assert terms(stage, contrast={"temperature": rule, "weight": 1.0})["contrast"] == pytest.approx(
        2 * expected, rel=1e-5
    )


def test_masks_of_as_many_pixels_or_fewer_are_left_out(stage):
    assert terms(stage, contrast={"more_than_px": 1})["contrast"] > 0
    assert terms(stage, contrast={"more_than_px": 2})["contrast"] == 0
    # the same share of the view's four pixels as two of eight; views may be larger, too
    assert terms(stage, contrast={"more_than_px": 2, "pixels_of": 8})["contrast"] > 0
    assert terms(stage, contrast={"more_than_px": 2, "pixels_of": 1})["contrast"] == 0


def test_each_loss_comes_at_its_own_steps(stage):
    found = [set(terms(stage, step)) for step in range(7)]
    once, both = {"contrast"}, {"near", "far"}
    assert found == [once | both, set(), once, both, once, set(), once | both]


# closest: 1, 0, 1, 2, at cosines 0, 0, 0, -1; farthest: 3, 3, 3, 0, at cosines -1, 0, -1, -1
EACH = ((3 * sigmoid(1) + sigmoid(2)) / 4, (3 * sigmoid(-1) + sigmoid(0)) / 4)
MEAN = (sigmoid(1 + 1 / 4), sigmoid(-3 / 4))


@pytest.mark.parametrize(("rule", "expected"), [("each", EACH), ("mean", MEAN)])
def test_near_and_far_have_their_own_weights(stage, rule, expected):
    found = terms(stage, 3, spatial={"sigmoid_of": rule})
    assert found == {
        "near": pytest.approx(0.5 * expected[0]),
        "far": pytest.approx(0.25 * expected[1]),
    }


def test_a_term_without_weight_is_left_out(stage):
    assert set(terms(stage, 3, spatial={"near_weight": 0.0})) == {"far"}
    assert set(terms(stage, 3, spatial={"far_weight": 0.0})) == {"near"}
    assert terms(stage, 3, spatial={"near_weight": 0.0, "far_weight": 0.0}) == {}


def test_the_closest_is_the_gaussian_itself_in_the_code(stage):
    alone = terms(stage, 3, spatial={"with_itself": True})["near"]
    assert alone == pytest.approx(0.5 * sigmoid(0))
    with_another = terms(stage, 3, spatial={"with_itself": True, "near": 2})["near"]
    assert with_another == pytest.approx(0.5 * (sigmoid(0) + EACH[0]) / 2)


def test_k_closest_and_l_farthest_are_compared(stage):
    # two closest: 1 2, 0 2, 1 0, 2 1 at 0 1, 0 0, 0 1, -1 0
    near = (5 * sigmoid(1) + 2 * sigmoid(0) + sigmoid(2)) / 8
    # two farthest: 3 2, 3 2, 3 0, 0 1 at -1 1, 0 0, -1 1, -1 0
    far = (3 * sigmoid(-1) + 2 * sigmoid(1) + 3 * sigmoid(0)) / 8
    found = terms(stage, 3, spatial={"near": 2, "far": 2})
    assert found == {"near": pytest.approx(0.5 * near), "far": pytest.approx(0.25 * far)}


def test_neighbours_are_looked_for_in_the_pool_alone(stage):
    found = terms(stage, 3, spatial={"pool": 1})
    assert found == {
        "near": pytest.approx(0.5 * sigmoid(0)),
        "far": pytest.approx(0.25 * sigmoid(1)),
    }


def test_of_half_as_many_gaussians_half_as_many_are_drawn_and_weigh_half(stage):
    with torch.no_grad():
        stage.gaussians["semantics"][:] = 1  # all alike: whoever is drawn says the same
    found = terms(stage, 3, spatial={"samples_of": 8})
    assert found["near"] == pytest.approx(0.5 * 0.5 * sigmoid(0))
    assert found["far"] == pytest.approx(0.5 * 0.25 * sigmoid(1))


def crowd(run_seed: int, features: Any) -> Stage:
    """Return a hundred Gaussians of random features."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(100, 2, generator=generator)
    made = stage_of(100, cgc.decoder(), values, features=features, run_seed=run_seed)
    with torch.no_grad():
        made.gaussians["means"][:] = torch.randn(100, 3, generator=generator)
    return made


def test_step_and_seed_of_the_run_decide_who_is_drawn(stage):
    few = {"samples": 5, "samples_of": 100}
    first, again, other = (crowd(seed, stage.features) for seed in (1, 1, 2))
    assert terms(first, 3, spatial=few) == terms(again, 3, spatial=few)
    assert terms(first, 3, spatial=few) != terms(first, 9, spatial=few)
    assert terms(first, 3, spatial=few) != terms(other, 3, spatial=few)


def test_positions_learn_nothing_and_features_of_both_ends_do(stage):
    chosen = options()
    found = cgc.semantic_terms(chosen, stage)(3, view(0), None)
    sum(found.values()).backward()
    assert stage.gaussians["means"].grad is None
    assert stage.gaussians["semantics"].grad[1].any()


def test_the_temperature_teaches_nobody(stage):
    # By features of unit length u: d/du of the four logarithms with phi held fixed. The second
    # pixel of each mask has its own mean and the other's alike: softmax 1/2, 1/2.
    features = PICTURE.clone().requires_grad_()
    cgc.semantic_terms(options(contrast={"temperature": "paper", "weight": 2.0}), stage)(
        0, view(0), features
    )["contrast"].backward()
    q = math.exp(-1 / PHI) / (1 + math.exp(-1 / PHI))
    # along x of pixel (0, 1) of mask 0, mean m = (1/2, 1/2), other mean n = (-1/2, 1/2):
    # directly (1/2)(n - m) = -1/2; through m, half of the sum over pixels u of (p(u, m) - own) u:
    # (q - 0)(-1) of the other's first pixel, -q of its own first one: (-q - q) / 2 = -q
    expected = (-1 / 2 - q) / PHI
    assert features.grad is not None
    assert features.grad[0, 1, 0].item() == pytest.approx(expected / 0.5, rel=1e-3)
