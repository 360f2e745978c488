"""GAGS's terms for every option on one view of 2 x 2 pixels, by hand.

    f_clip     levels' vectors            factors make alpha = 1/8, 2/8, 5/8, where there is no
    +x  +y     s: +x +x  p: +y  w: -x     whole (lower right) 1/3, 2/3, 0
    +x  +x        +y +y     +y     -x /

So |f - f_s|^2, |f - f_p|^2, |f - f_w|^2 are, pixel by pixel,

    0 2 4 | 2 0 2        Eq. 3: 2 2/8 + 4 5/8 = 3      | 2/8 + 10/8 = 1.5
    2 2 4 | 2 2 -               2/8 + 4/8 + 20/8 = 3.25 | 2

and the whole weighs most: of its two regions the upper has two pixels, the lower one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from semsplat.train.methods import Stage, gags
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import features_of, masks, stage_of, view

X, Y, LEFT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
SUBPART, PART, WHOLE = [[0, 0], [1, 1]], [[2, 2], [2, 2]], [[3, 3], [4, -1]]
LN = math.log
H3 = LN(8) / 8 + LN(4) / 4 + LN(8 / 5) * 5 / 8
"""entropy of 1/8, 2/8, 5/8"""
H2 = LN(3) / 3 + LN(3 / 2) * 2 / 3
"""entropy of 1/3, 2/3"""


class Split(nn.Module):
    """The first two channels are f_clip, the other three the factors, both twice too large."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return features[..., :2] / 2, features[..., 2:] / 2


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    levels = masks(SUBPART, PART, WHOLE, vectors=[X, Y, Y, LEFT, LEFT])
    features = features_of(tmp_path, ["subpart", "part", "whole"], levels)
    return stage_of(1, Split(), features=features)


def blended() -> Tensor:
    factors = torch.tensor([0.0, LN(2), LN(5)]).expand(2, 2, 3)
    return 2 * torch.cat([torch.tensor([[X, Y], [X, X]]), factors], dim=-1)


def terms(stage: Stage, step: int = 0, **changes: Any) -> dict[str, float]:
    chosen = gags.Options.model_validate(PARAMS["methods"]["gags"] | {"late_from": 10} | changes)
    found = gags.semantic_terms(chosen, stage)(step, view(0), blended())
    return {name: value.item() for name, value in found.items()}


ALL, ANY = {"pixels": "all_levels"}, {"pixels": "any_level"}
REGIONS, PIXELS = {"region_aware": True}, {"region_aware": False}
L2, L1 = {"distill": "l2_weighted"}, {"distill": "l1_mixture"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (L2 | REGIONS | ALL, ((3 + 1.5) / 2 + 3.25) / 2),
        (L2 | REGIONS | ANY, ((3 + 1.5) / 2 + 3.25) / 2),  # lower right: in no whole
        (L2 | PIXELS | ALL, (3 + 1.5 + 3.25) / 3),
        (L2 | PIXELS | ANY, (3 + 1.5 + 3.25 + 2) / 4),
        # the mixture is (-1/2, 1/4) above, (-5/8, 3/8) below, (0, 1) in the lower right
        (L1 | REGIONS | ALL, (((3 / 2 + 1 / 4) / 2 + (1 / 2 + 3 / 4) / 2) / 2 + 1) / 2),
        (L1 | PIXELS | ALL, (0.875 + 0.625 + 1) / 3),
        (L1 | PIXELS | ANY, (0.875 + 0.625 + 1 + 1) / 4),
    ],
)
def test_distances(stage, changes, expected):
    assert terms(stage, **changes)["distill"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("levels", "pixels", "expected"),
    [
        # thirds, in the lower right halves; of equal levels the finest makes the regions: rows
        ("average", ALL, ((2 + 4 / 3) / 2 + 8 / 3) / 2),
        ("average", ANY, ((2 + 4 / 3) / 2 + (8 / 3 + 2) / 2) / 2),
        ("subpart", ALL, ((0 + 2) / 2 + 2) / 2),
        ("subpart", ANY, ((0 + 2) / 2 + (2 + 2) / 2) / 2),
        ("part", ALL, (2 + 0 + 2) / 3),  # one region of all
        ("part", ANY, (2 + 0 + 2 + 2) / 4),
        ("whole", ALL, ((4 + 2) / 2 + 4) / 2),
        ("whole", ANY, ((4 + 2) / 2 + 4) / 2),
    ],
)
def test_fixed_levels_have_no_entropy_to_pay(stage, levels, pixels, expected):
    found = terms(stage, levels=levels, **L2, **REGIONS, **pixels)
    assert found == {"distill": pytest.approx(expected, abs=1e-6)}


@pytest.mark.parametrize(
    ("over", "pixels", "expected"),
    [
        ("sum", ALL, H3),
        ("mean", ALL, H3 / 3),
        ("sum", ANY, (3 * H3 + H2) / 4),
        ("mean", ANY, (3 * H3 + H2) / 12),
    ],
)
@pytest.mark.parametrize(("step", "weight"), [(9, 0.5), (10, 2.0), (11, 2.0)])
def test_the_entropy_is_a_mean_over_pixels_with_the_weight_of_its_step(
    stage, over, pixels, expected, step, weight
):
    changes = {"entropy": {"early": 0.5, "late": 2.0}, "entropy_over": over, **pixels}
    assert terms(stage, step, **changes)["entropy"] == pytest.approx(weight * expected, abs=1e-5)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        # f_clip of the upper whole: mean (1/2, 1/2), 4 squares of 1/4, over 2 pixels
        ("vectors", 4 * 0.25 / 2),
        # 2 f_clip: unbiased variances of 2 in two of five channels, times 2 pixels, of 4 in all
        ("features", (2 + 2) / 5 * 2 / 4),
    ],
)
@pytest.mark.parametrize(("step", "weight"), [(9, 0.25), (10, 4.0), (11, 4.0)])
def test_the_consistency_is_of_wholes_with_the_weight_of_its_step(
    stage, of, expected, step, weight
):
    changes = {"consistency": {"early": 0.25, "late": 4.0}, "consistency_of": of}
    found = terms(stage, step, **changes)["consistency"]
    assert found == pytest.approx(weight * expected, abs=1e-6)


def test_without_a_weight_there_is_no_consistency(stage):
    changes = {"consistency": {"early": 0.0, "late": 0.1}}
    assert "consistency" not in terms(stage, 9, **changes)
    assert "consistency" in terms(stage, 10, **changes)


def test_regions_are_those_of_the_level_that_weighs_most(stage):
    # whole: 5/8, unless it is not looked at; of parts there is one region, so the plain mean
    found = terms(stage, levels="part", consistency={"early": 1.0, "late": 1.0}, **ALL)
    # three pixels +x, +y, +x: mean (2/3, 1/3), squares 4/9 + 2/9, over 3
    assert found["consistency"] == pytest.approx((2 * 2 / 9 + 8 / 9) / 3, abs=1e-6)


def gradient(stage: Stage, term: str, **changes: Any) -> Tensor:
    """Return the gradient of one term by the blended map, without the factor of the decoder."""
    chosen = gags.Options.model_validate(PARAMS["methods"]["gags"] | {"late_from": 0} | changes)
    features = blended().requires_grad_()
    gags.semantic_terms(chosen, stage)(0, view(0), features)[term].backward()
    assert features.grad is not None
    return features.grad * 2


def test_factors_learn_from_distances(stage):
    # d/d eta_n of sum alpha d = alpha_n (d_n - sum alpha d): upper left d = 0, 2, 4, of mean 3,
    # and that pixel has 1/2 of one of 2 regions
    found = gradient(stage, "distill", **L2, **REGIONS)[0, 0, 2:]
    expected = torch.tensor([1 / 8 * -3, 2 / 8 * -1, 5 / 8 * 1]) / 4
    torch.testing.assert_close(found, expected)


def test_factors_learn_from_the_entropy_and_vectors_do_not(stage):
    found = gradient(stage, "entropy", entropy={"early": 3.0, "late": 3.0})
    assert not found[..., :2].any() and not found[1, 1].any()
    # d H / d eta_n = - alpha_n (log alpha_n + H), a mean over three pixels, weight 3
    alpha = torch.tensor([1 / 8, 2 / 8, 5 / 8])
    torch.testing.assert_close(found[0, 0, 2:], -alpha * (alpha.log() + H3), atol=1e-4, rtol=0)


def test_the_choice_of_regions_teaches_nobody(stage):
    found = gradient(stage, "consistency", consistency={"early": 1.0, "late": 1.0})
    assert not found[..., 2:].any() and found[0, :, :2].all() and not found[1].any()
