"""Schedules against the papers' numbers."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semsplat.fit.schedules import (
    image_scale,
    log_linear,
    refine_interval,
    refine_steps,
    sh_degree,
)
from semsplat.params.geometry import Densify, Geometry, Progressive
from semsplat.params.scaling import scaled_geometry

PARAMS = yaml.safe_load(Path("params.yaml").read_text())["geometry"]
DENSIFY = Densify(**PARAMS["densify"])
PDR = Progressive(**{**PARAMS["progressive"], "enabled": True})
OFF = Progressive(**PARAMS["progressive"])


def test_position_rate_is_log_linear():
    assert log_linear(0, 30_000, 1.6e-4, 1.6e-6) == pytest.approx(1.6e-4)
    assert log_linear(15_000, 30_000, 1.6e-4, 1.6e-6) == pytest.approx(1.6e-5)
    assert log_linear(30_000, 30_000, 1.6e-4, 1.6e-6) == pytest.approx(1.6e-6)


def test_one_more_harmonic_degree_every_thousand_steps():
    assert [sh_degree(s, 1000, 3) for s in (0, 999, 1000, 2999, 3000, 29_999)] == [0, 0, 1, 2, 3, 3]


def test_pdr_image_scale_has_the_papers_end_points():
    assert image_scale(0, PDR) == 0.5
    assert image_scale(3500, PDR) == pytest.approx(0.75)
    assert image_scale(7000, PDR) == image_scale(29_999, PDR) == 1.0
    # METHODS 1.1-6: 1 - 0.25 (1 + cos(pi t / 7000))
    assert image_scale(1000, PDR) == pytest.approx(1 - 0.25 * (1 + math.cos(math.pi / 7)))


def test_pdr_refinement_interval_has_the_papers_end_points():
    assert refine_interval(0, DENSIFY, PDR) == 200
    assert refine_interval(2000, DENSIFY, PDR) == 150
    assert refine_interval(4000, DENSIFY, PDR) == refine_interval(9000, DENSIFY, PDR) == 100


def test_without_pdr_everything_is_constant():
    assert image_scale(0, OFF) == 1.0
    assert refine_interval(0, DENSIFY, OFF) == 100


def test_3dgs_refines_from_600_to_14900_every_100_steps():
    assert refine_steps(DENSIFY, OFF) == list(range(600, 15_000, 100))


def test_pdr_refines_less_often_at_first_and_as_often_later():
    steps = refine_steps(DENSIFY, PDR)
    gaps = [b - a for a, b in pairwise(steps)]
    assert gaps[0] > 190 and gaps[-1] == 100
    assert all(after <= before + 1 for before, after in pairwise(gaps))  # to the whole step
    assert len(refine_steps(DENSIFY, OFF)) - len(steps) == 8  # of 144


@pytest.mark.parametrize("factor", [1.0, 0.3, 0.1, 0.05, 0.03])
def test_pdr_leaves_out_the_same_share_in_a_run_of_few_steps(factor):
    whole = Geometry(**PARAMS)
    short = scaled_geometry(whole, factor)
    off, on = (
        len(refine_steps(short.densify, short.progressive.model_copy(update={"enabled": enabled})))
        for enabled in (False, True)
    )
    assert off >= 4 and off - on == pytest.approx(off * 8 / 144, abs=0.65)


@given(st.integers(0, 40_000))
def test_schedules_stay_within_their_bounds(step):
    assert 0.5 <= image_scale(step, PDR) <= 1.0
    assert 100 <= refine_interval(step, DENSIFY, PDR) <= 200
