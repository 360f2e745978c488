"""GAGS's terms for every option on one view of 2 x 2 pixels, by hand.

    f_clip     levels' vectors            factors make alpha = 1/8, 2/8, 5/8, where there is no
    +x  +y     s: +x +x  p: +y  w: -x     whole (lower right) 1/3, 2/3, 0
    +x  +x        +y +y     +y     -x /

So |f - f_s|^2, |f - f_p|^2, |f - f_w|^2 are, pixel by pixel,

    0 2 4 | 2 0 2        Eq. 3: 2 2/8 + 4 5/8 = 3      | 2/8 + 10/8 = 1.5
    2 2 4 | 2 2 -               2/8 + 4/8 + 20/8 = 3.25 | 2

as a sum; the mixture is (-1/2, 1/4) above, (-5/8, 3/8) and (0, 1) below, from which f_clip is

    (3/2, -1/4)   (1/2, 3/4)
    (13/8, -3/8)  (1, -1)

The whole weighs most: of its two regions the upper has two pixels, the lower one.
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
UNITS = math.sqrt(math.pi)
"""the square of a length of 1 over its mean |component|, 1 / sqrt(pi) in two channels"""


class Split(nn.Module):
    """The first two channels are f_clip, the other three the factors, both twice too large."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return features[..., :2] / 2, features[..., 2:] / 2


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return seen(tmp_path, SUBPART)


def seen(folder: Path, subpart: list[list[int]]) -> Stage:
    levels = masks(subpart, PART, WHOLE, vectors=[X, Y, Y, LEFT, LEFT])
    features = features_of(folder, ["subpart", "part", "whole"], levels)
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
L2, L1, SUM = ({"distill": name} for name in ("l2_mixture", "l1_mixture", "l2_weighted"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (SUM | REGIONS | ALL, ((3 + 1.5) / 2 + 3.25) / 2),
        (SUM | REGIONS | ANY, ((3 + 1.5) / 2 + 3.25) / 2),  # lower right: in no whole
        (SUM | PIXELS | ALL, (3 + 1.5 + 3.25) / 3),
        (SUM | PIXELS | ANY, (3 + 1.5 + 3.25 + 2) / 4),
        (L2 | REGIONS | ALL, ((37 / 16 + 13 / 16) / 2 + 178 / 64) / 2),
        (L2 | PIXELS | ALL, (37 / 16 + 13 / 16 + 178 / 64) / 3),
        (L2 | PIXELS | ANY, (37 / 16 + 13 / 16 + 178 / 64 + 2) / 4),
        (L1 | REGIONS | ALL, (((3 / 2 + 1 / 4) / 2 + (1 / 2 + 3 / 4) / 2) / 2 + 1) / 2),
        (L1 | PIXELS | ALL, (0.875 + 0.625 + 1) / 3),
        (L1 | PIXELS | ANY, (0.875 + 0.625 + 1 + 1) / 4),
    ],
)
def test_distances(stage, changes, expected):
    assert terms(stage, **changes)["distill"] == pytest.approx(expected, abs=1e-6)


def test_where_a_level_is_missing_the_code_has_a_distance_of_zero(tmp_path):
    # upper right without a sub-part: it dilutes the upper whole, and the mean over pixels
    stage, code = seen(tmp_path, [[0, -1], [1, 1]]), L1 | {"pixels": "zeros"}
    assert terms(stage, **code, **REGIONS)["distill"] == pytest.approx((7 / 8 / 2 + 1) / 2)
    assert terms(stage, **code, **PIXELS)["distill"] == pytest.approx((7 / 8 + 1) / 4)
    # its factors are those of all levels everywhere
    assert terms(stage, **code)["entropy"] == pytest.approx(0.001 * H3 / 3, abs=1e-8)
    # and its regions have all their pixels: f_clip +x, +y above
    late = {"consistency": {"early": 1.0, "late": 1.0}, "consistency_of": "vectors"}
    assert terms(stage, **code, **late)["consistency"] == pytest.approx(0.5 / 2)
    assert terms(stage, **L1, **ALL, **late)["consistency"] == 0  # of one pixel each


@pytest.mark.parametrize(
    ("levels", "pixels", "expected"),
    [
        # of length 1: s + p + w of the upper half is y, of the lower left (-1, 2) / sqrt(5), of
        # the lower right y; of equal levels the finest makes the regions: rows
        ("average", ALL, ((2 + 0) / 2 + (2 + 2 / 5**0.5)) / 2),
        ("average", ANY, ((2 + 0) / 2 + (2 + 2 / 5**0.5 + 2) / 2) / 2),
        ("subpart", ALL, ((0 + 2) / 2 + 2) / 2),
        ("subpart", ANY, ((0 + 2) / 2 + (2 + 2) / 2) / 2),
        ("part", ALL, (2 + 0 + 2) / 3),  # one region of all
        ("part", ANY, (2 + 0 + 2 + 2) / 4),
        ("whole", ALL, ((4 + 2) / 2 + 4) / 2),
        ("whole", ANY, ((4 + 2) / 2 + 4) / 2),
    ],
)
@pytest.mark.parametrize("reading", [L2, SUM], ids=["mixture", "sum"])
def test_fixed_levels_are_one_vector_and_have_no_entropy_to_pay(
    stage, levels, pixels, expected, reading
):
    found = terms(stage, levels=levels, **reading, **REGIONS, **pixels)
    assert found == {"distill": pytest.approx(expected, abs=1e-6)}


@pytest.mark.parametrize(
    ("reading", "pixels", "expected"),
    [
        (L1, ALL, H3 / 3),
        (L1, ANY, (3 * H3 + H2) / 12),
        (L2, ALL, UNITS * H3 / 3),
        (SUM, ALL, UNITS * H3 / 3),
    ],
)
@pytest.mark.parametrize(("step", "weight"), [(9, 0.5), (10, 2.0), (11, 2.0)])
def test_the_entropy_is_a_mean_over_levels_and_pixels_with_the_weight_of_its_step(
    stage, reading, pixels, expected, step, weight
):
    changes = {"entropy": {"early": 0.5, "late": 2.0}, **reading, **pixels}
    assert terms(stage, step, **changes)["entropy"] == pytest.approx(weight * expected, abs=1e-5)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        # f_clip of the upper whole: mean (1/2, 1/2), 4 squares of 1/4, over 2 pixels; the lower: 0
        ("vectors", 4 * 0.25 / 2 / 2),
        # 2 f_clip: unbiased variances of 2 in two of five channels, times 2 pixels, of 4 in all
        ("features", (2 + 2) / 5 * 2 / 4),
    ],
)
@pytest.mark.parametrize(("reading", "units"), [(L1, 1.0), (L2, UNITS)], ids=["l1", "l2"])
@pytest.mark.parametrize(("step", "weight"), [(9, 0.25), (10, 4.0), (11, 4.0)])
def test_the_consistency_is_of_wholes_with_the_weight_of_its_step(
    stage, of, expected, reading, units, step, weight
):
    changes = {"consistency": {"early": 0.25, "late": 4.0}, "consistency_of": of, **reading}
    found = terms(stage, step, **changes)["consistency"]
    assert found == pytest.approx(units * weight * expected, abs=1e-5)


def test_without_a_weight_there_is_no_consistency(stage):
    changes = {"consistency": {"early": 0.0, "late": 0.1}}
    assert "consistency" not in terms(stage, 9, **changes)
    assert "consistency" in terms(stage, 10, **changes)


def test_regions_are_those_of_the_level_that_weighs_most(stage):
    # whole: 5/8, unless it is not looked at; of parts there is one region, so the plain mean
    found = terms(stage, levels="part", consistency={"early": 1.0, "late": 1.0}, **ALL, **L1)
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
    found = gradient(stage, "distill", **SUM, **REGIONS)[0, 0, 2:]
    expected = torch.tensor([1 / 8 * -3, 2 / 8 * -1, 5 / 8 * 1]) / 4
    torch.testing.assert_close(found, expected)
    # d/d eta_n |f - m|^2 = -2 alpha_n (f_n - m) (f - m), here f - m = (3/2, -1/4)
    found = gradient(stage, "distill", **L2, **REGIONS)[0, 0, 2:]
    towards = torch.tensor([3 / 2 * 3 / 2 + 1 / 16, 3 / 4 - 3 / 16, -3 / 4 + 1 / 16])
    torch.testing.assert_close(found, -2 * torch.tensor([1 / 8, 2 / 8, 5 / 8]) * towards / 4)


def test_factors_learn_from_the_entropy_and_vectors_do_not(stage):
    found = gradient(stage, "entropy", entropy={"early": 9.0, "late": 9.0}, **L1)
    assert not found[..., :2].any() and not found[1, 1].any()
    # d H / d eta_n = - alpha_n (log alpha_n + H), a mean over 3 levels and 3 pixels, times 9
    alpha = torch.tensor([1 / 8, 2 / 8, 5 / 8])
    torch.testing.assert_close(found[0, 0, 2:], -alpha * (alpha.log() + H3), atol=1e-4, rtol=0)


def test_the_choice_of_regions_teaches_nobody(stage):
    found = gradient(stage, "consistency", consistency={"early": 1.0, "late": 1.0})
    assert not found[..., 2:].any() and found[0, :, :2].all() and not found[1].any()
