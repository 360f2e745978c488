"""Granularity-aware prompt points: GAGS's Eq. 1 worked out by hand, and what must always hold."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.data.scene import load_scene
from semsplat.features.prompt_points import PointOptions
from semsplat.features.prompt_points.sampling import blocks, points_per_patch, sampled_points
from semsplat.features.prompt_points.scene import (
    DepthView,
    centre_pixels,
    centres_minimum,
    dense_minimum,
    landed,
    lifted,
    nearest_by_centre,
    open_scene_prompts,
    view_rng,
)
from tests.unit.data.scene_helpers import random_image
from tests.unit.features.conftest import write_wall_geometry

OPTIONS = PointOptions(
    minimum_depth="dense", visible_tolerance=0.25, rule="paper", base_points=16,
    most_points=400, sampling_seed=42,
)  # fmt: skip
SIZE = (24, 32)  # patches of 3 x 4 pixels


def options(**changes: Any) -> PointOptions:
    return OPTIONS.model_copy(update=changes)


# views: 4 x 4 pixels, cameras at (0, 0, z) that look along z at a wall at z = 4


def view(name: str, z: float, depth: Any) -> DepthView:
    viewmat = np.eye(4)
    viewmat[2, 3] = -z
    K = np.array([[4.0, 0, 2], [0, 4.0, 2], [0, 0, 1]])
    frame: Any = SimpleNamespace(name=name, viewmat=viewmat, K=K)
    return DepthView(frame, torch.full((4, 4), 1.0) * torch.as_tensor(depth, dtype=torch.float32))


FAR, NEAR = view("far", 0.0, 4.0), view("near", 2.4, 1.6)  # 4 m and 1.6 m from the wall
INNER = np.array([[4, 4, 4, 4], [4, 1.6, 1.6, 4], [4, 1.6, 1.6, 4], [4, 4, 4, 4]], np.float32)


def test_a_lifted_pixel_lands_where_it_came_from() -> None:
    pixels, points = lifted(NEAR)
    np.testing.assert_allclose(points[0].numpy(), [-0.6, -0.6, 4.0], rtol=1e-6)
    index, target = landed(points, NEAR, 1e-4)
    assert index.tolist() == target.tolist() == pixels.tolist() == list(range(16))


def test_what_a_nearer_view_sees_has_its_depth() -> None:
    """The near view covers 1.6 m of the wall, the far one 4 m: its inner pixels, 1 m apart."""
    np.testing.assert_allclose(dense_minimum(FAR, [FAR, NEAR], 0.25).numpy(), INNER)
    # everything the near view sees is seen from farther elsewhere: ratio 1
    assert torch.equal(dense_minimum(NEAR, [FAR, NEAR], 0.25), NEAR.depth)


def test_what_is_hidden_in_a_nearer_view_does_not_count() -> None:
    covered = view("near", 2.4, 1.0)  # something stands 1 m before it
    assert torch.equal(dense_minimum(FAR, [covered], 0.25), FAR.depth)
    assert (dense_minimum(FAR, [covered], 0.7) == 1).sum() == 4  # the depth rendered there


def test_a_single_training_view_has_no_ratio_but_one() -> None:
    holes = view("far", 0.0, [[0, 4, 4, 4]] * 4)
    assert torch.equal(dense_minimum(holes, [holes], 0.25), holes.depth)


def test_a_view_without_any_depth_has_no_minimum() -> None:
    nothing = view("far", 0.0, 0.0)
    assert not dense_minimum(nothing, [NEAR], 0.25).any()
    means = torch.tensor([[-0.5, -0.5, 4.0]])
    assert not centres_minimum(nothing, means, torch.ones(1), 0.25).any()


def test_a_centre_has_the_least_depth_rendered_where_it_is_seen() -> None:
    corner, inner, behind, hidden = [-1.5, -1.5, 4.2], [-0.5, 0.5, 4.0], [0, 0, -1.0], [0.5, 0.5, 9]
    means = torch.tensor([corner, inner, behind, hidden])
    nearest = nearest_by_centre(means, [FAR, NEAR], 0.25)
    np.testing.assert_allclose(nearest.numpy(), [4, 1.6, np.inf, np.inf])  # not 4.2
    expected = np.zeros((4, 4), np.float32)
    expected[0, 0], expected[2, 1] = 4, 1.6
    np.testing.assert_allclose(centres_minimum(FAR, means, nearest, 0.25).numpy(), expected)
    assert np.array_equal(centre_pixels(FAR, means, 0.25).numpy(), expected > 0)


def test_of_centres_on_one_pixel_the_last_counts() -> None:
    means = torch.tensor([[-0.5, -0.5, 4.0], [-0.4, -0.4, 4.0]])
    for nearest in ([3.0, 2.0], [2.0, 3.0]):
        least = centres_minimum(FAR, means, torch.tensor(nearest), 0.25)
        assert least[1, 1] == nearest[1] and (least > 0).sum() == 1


def test_a_held_out_view_counts_for_its_own_points() -> None:
    means = torch.tensor([[-0.5, -0.5, 4.0]])
    least = centres_minimum(NEAR, means, nearest_by_centre(means, [FAR], 0.25), 0.25)
    assert least.max() == NEAR.depth.max()


# points per patch


def counts(depth: Any, least: Any, **changes: Any) -> np.ndarray:
    whole = np.ones(SIZE, np.float32)
    return points_per_patch(whole * depth, whole * np.float32(least), options(**changes))


@pytest.mark.parametrize("rule", ["paper", "code"])
@pytest.mark.parametrize(
    ("ratio", "base", "points"),
    [(1, 16, 16), (2, 16, 64), (4, 16, 256), (6, 16, 400), (1, 4, 4), (2, 4, 16)],
)
def test_points_grow_with_the_square_of_the_ratio(
    rule: str, ratio: int, base: int, points: int
) -> None:
    found = counts(2.5 * ratio, 2.5, rule=rule, base_points=base)
    assert found.shape == (8, 8) and (found == points).all()


def test_the_code_squares_the_ratio_of_means_and_rounds_down() -> None:
    """Half of the pixels at ratio 1, half at 3: 16 x (1 + 9) / 2 = 80 and (4 x 4 / 2)^2 = 64."""
    mixed = np.where(np.arange(32) % 2, 3.0, 1.0)
    assert (counts(mixed, 1.0) == 80).all()
    assert (counts(mixed, 1.0, rule="code") == 64).all()
    assert (counts(1.2, 1.0) == 23).all()  # 16 x 1.44 = 23.04
    assert (counts(1.2, 1.0, rule="code") == 16).all()  # int(4.8)^2


def test_pixels_without_depth_do_not_count_in_the_paper_but_do_in_the_code() -> None:
    half = np.where(np.arange(32) % 2, 2.0, 0.0)
    assert (counts(half, np.where(half > 0, 1.0, 0.0)) == 64).all()  # ratio 2
    assert (counts(half, np.where(half > 0, 1.0, 0.0), rule="code") == 16).all()  # 1 / 1
    assert (counts(half, np.where(half > 0, 2.0, 0.0), rule="code") == 1).all()  # 1 / 2: below 1


@pytest.mark.parametrize("rule", ["paper", "code"])
def test_a_patch_without_depth_gets_one_point(rule: str) -> None:
    depth = np.ones(SIZE)
    depth[:3, 4:8] = 0
    found = counts(depth, depth, rule=rule)
    assert found[0, 1] == 1 and (found == 16).sum() == 63
    assert (counts(1.0, 0.0, rule=rule) == 1).all()  # where no centre falls


# sampling


@given(
    size=st.tuples(st.integers(1, 100), st.integers(1, 100)),
    wanted=st.integers(1, 400),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_points_are_pixels_of_their_patch(
    size: tuple[int, int], wanted: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(size=size) < share
    points = sampled_points(np.full((8, 8), wanted), centres, rng)
    assert points.dtype == np.float32 and np.array_equal(points, np.round(points))
    x, y = points.astype(int).T
    assert x.min() >= 0 and y.min() >= 0 and x.max() < size[1] and y.max() < size[0]
    patch = blocks(size, 8)
    found = np.bincount(patch[y, x], minlength=64)
    pixels = np.bincount(patch.ravel(), minlength=64)
    assert ((found >= 1) == (pixels >= 1)).all() and (found <= np.minimum(wanted, pixels)).all()
    assert len(np.unique(points, axis=0)) == len(points)


def test_points_lie_where_gaussians_are() -> None:
    centres = np.zeros((160, 160), bool)
    centres[6, 9] = True  # cell (3, 4) of the first patch, pixels 6 to 7 and 8 to 9
    points = sampled_points(np.full((8, 8), 50), centres, np.random.default_rng(0))
    first = points[(points < 20).all(axis=1)]
    assert set(map(tuple, first.tolist())) == {(8, 6), (9, 6), (8, 7), (9, 7)}


def test_a_cell_is_drawn_by_its_share_of_pixels_with_a_centre() -> None:
    centres = np.zeros((160, 160), bool)
    centres[0, 0:3] = centres[1, 0] = True  # three in the first cell, one in the second
    drawn = []

    class Spy(np.random.Generator):
        def choice(self, pixels: Any, size: Any, p: Any) -> Any:  # type: ignore[override]
            drawn.append(dict(zip(pixels.tolist(), p, strict=True)))
            return pixels[:1]

    sampled_points(np.ones((8, 8), int), centres, Spy(np.random.PCG64(0)))
    first = drawn[0]
    assert first[0] == first[1] == first[160] == first[161] == pytest.approx(0.75 / 4)
    assert first[2] == first[163] == pytest.approx(0.25 / 4) and first[4] == 0
    assert all(p == pytest.approx(1 / 400) for p in drawn[1].values())  # no centre: evenly


def test_a_view_has_its_own_draws() -> None:
    first, again = view_rng(42, "a/b"), view_rng(42, "a/b")
    assert first.integers(1 << 60) == again.integers(1 << 60)
    different = {view_rng(*key).integers(1 << 60) for key in [(42, "a"), (42, "b"), (43, "a")]}
    assert len(different) == 3


# a whole scene


@pytest.mark.parametrize("minimum_depth", ["dense", "centres"])
def test_a_view_has_the_same_points_whichever_came_before(
    minimum_depth: Any, write_scene: Any, tmp_path: Any
) -> None:
    scene = load_scene(write_scene([random_image(64, 48, seed=k) for k in range(3)]))
    geometry = write_wall_geometry(tmp_path / "geometry", z=3.0)
    prompts = open_scene_prompts(options(minimum_depth=minimum_depth), 0, scene, geometry, "cpu")
    forth = [prompts(frame) for frame in scene.frames]
    back = [prompts(frame) for frame in scene.frames[::-1]][::-1]
    for one, other in zip(forth, back, strict=True):
        assert np.array_equal(one.points, other.points) and np.array_equal(one.depth, other.depth)
    assert not np.array_equal(forth[0].points, forth[2].points)
    assert forth[0].points.dtype == np.float32 and forth[0].depth.dtype == np.float16
    assert forth[0].depth.shape == (48, 64)
    np.testing.assert_allclose(forth[0].depth[16:32, 16:32].astype(float), 3, atol=0.05)


def test_another_seed_draws_other_points_from_the_same_depth(
    write_scene: Any, tmp_path: Any
) -> None:
    scene = load_scene(write_scene([random_image(64, 48, seed=k) for k in range(2)]))
    geometry = write_wall_geometry(tmp_path / "geometry", z=3.0)
    first, again, other = (
        open_scene_prompts(options(), seed, scene, geometry, "cpu")(scene.train[0])
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first.points, again.points)
    assert np.array_equal(first.depth, other.depth)
    assert not np.array_equal(first.points, other.points)


def test_a_lone_view_is_asked_everywhere_alike(write_scene: Any, tmp_path: Any) -> None:
    scene = load_scene(write_scene([random_image(64, 48)] * 2))
    alone = dataclasses.replace(scene, frames=scene.train, test=())
    geometry = write_wall_geometry(tmp_path / "geometry", z=3.0)
    points = open_scene_prompts(options(base_points=2), 0, alone, geometry, "cpu")(alone.train[0])
    x, y = points.points.astype(int).T
    per_patch = np.bincount(blocks((48, 64), 8)[y, x], minlength=64)
    assert per_patch.min() >= 1 and per_patch.max() == 2
