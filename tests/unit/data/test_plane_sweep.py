"""Depth and initial points of photographs with known poses, on planes whose depth is known."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from semsplat.data.plane_sweep import (
    Shot,
    Sweep,
    Window,
    best_plane,
    homography,
    points_of_views,
    starting_points,
    swept_depths,
)
from semsplat.data.poses import rigid_inverse

HEIGHT, WIDTH = 48, 64
K = np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]])
DEPTH = 2.0
OPTIONS: dict[str, Any] = {
    **{"n_random": 20, "random_extent": 2.0, "near_m": 1.0, "far_m": 5.0, "n_planes": 40},
    **{"window_px": 7, "neighbours": [1, 2], "every": 1, "min_score": 0.8},
    **{"tolerance": 0.03, "min_agreeing": 2},
}


def options(**changes: Any) -> Sweep:
    return Sweep(**{**OPTIONS, **changes})


def shot_at(x: float, contrast: float = 1.0, seed: int = 0) -> Shot:
    """A camera ``x`` metres along a textured wall that stands two metres before it."""
    viewmat = np.eye(4)
    viewmat[0, 3] = -x
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    wall = [(u - 32) / 60 * DEPTH + x, (v - 24) / 60 * DEPTH]
    rng = np.random.default_rng(seed)
    waves = sum(
        np.sin(wall[0] * a + wall[1] * b + c)
        for a, b, c in zip(*rng.uniform(-12, 12, (3, 12)), strict=True)
    )
    grey = np.clip(128 + contrast * 18 * waves, 0, 255).astype(np.uint8)
    return Shot(np.repeat(grey[..., None], 3, axis=2), viewmat, K)


SHOTS = [shot_at(0.1 * index) for index in range(6)]


def test_a_point_of_the_plane_goes_where_the_other_camera_sees_it() -> None:
    turn, _ = cv2.Rodrigues(np.array([0.05, -0.1, 0.02]))
    viewmat = np.eye(4)
    viewmat[:3, :3], viewmat[:3, 3] = turn, (0.2, -0.1, 0.05)
    one, two = SHOTS[0], Shot(SHOTS[1].image, viewmat, K * [[1.1], [1.1], [1]])
    to_two = homography(one, two, 1 / DEPTH)
    for point in ([0.1, 0.2, DEPTH], [-0.3, 0.1, DEPTH]):
        seen = []
        for shot in (one, two):
            in_camera = shot.viewmat[:3, :3] @ point + shot.viewmat[:3, 3]
            seen.append((shot.K @ in_camera)[:2] / in_camera[2] - 0.5)  # as OpenCV counts
        moved = to_two @ [*seen[0], 1]
        np.testing.assert_allclose(moved[:2] / moved[2], seen[1], atol=1e-9)


def test_the_best_plane_lies_at_the_top_of_a_parabola() -> None:
    planes = np.arange(9)
    for top in (2.0, 3.3, 5.8):
        scores = (1 - 0.05 * (planes - top) ** 2).astype(np.float32)[:, None, None]
        assert best_plane(scores)[0, 0] == pytest.approx(top, abs=1e-3)
    ends = (-np.arange(9.0)).astype(np.float32)[:, None, None]
    assert 0 <= best_plane(ends)[0, 0] <= 8


def test_what_lies_outside_the_other_view_does_not_correlate() -> None:
    grey = SHOTS[0].image[..., 0].astype(np.float32) / 255
    found = Window(grey, 7).correlation(grey, np.array([[1.0, 0, 20], [0, 1, 0], [0, 0, 1]]))
    assert (found[:, -20:] == -1).all() and (found[:, :-20] > -1).all()
    itself = Window(grey, 7).correlation(grey, np.eye(3))
    assert itself.min() > 0.95  # the textured wall is nowhere plain


def test_one_view_that_fits_does_not_outweigh_the_others() -> None:
    told = options(neighbours=[1, 2, 3], min_agreeing=1, min_score=0.9)
    pair = [*SHOTS[:2], shot_at(0.2, seed=8), shot_at(0.3, seed=9)]
    (_, alone), (_, among_strangers) = (next(swept_depths(s, told)) for s in (pair[:2], pair))
    assert (among_strangers > 0).mean() < 0.5 * (alone > 0).mean()


def test_the_depth_of_a_wall_is_found_in_every_swept_view() -> None:
    found = list(swept_depths(SHOTS, options()))
    assert [shot is own for (shot, _), own in zip(found, SHOTS, strict=True)] == [True] * 6
    for _, depth in found[1:-1]:
        assert (depth > 0).mean() > 0.5 and depth.dtype == np.float32
        assert np.median(np.abs(depth[depth > 0] / DEPTH - 1)) < 0.02
    every_other = list(swept_depths(SHOTS, options(every=2, min_agreeing=1)))
    assert [shot is own for (shot, _), own in zip(every_other, SHOTS[::2], strict=True)] == (
        [True] * 3
    )


def test_where_views_do_not_agree_no_depth_is_known() -> None:
    strangers = [shot_at(0.1 * index, seed=index) for index in range(6)]
    assert all((depth > 0).mean() < 0.05 for _, depth in swept_depths(strangers, options()))
    plain = [shot_at(0.1 * index, contrast=0.0) for index in range(6)]
    assert all(not depth.any() for _, depth in swept_depths(plain, options()))
    assert all(not depth.any() for _, depth in swept_depths(SHOTS[:1], options()))


def test_so_many_neighbours_must_have_the_same_depth() -> None:
    shares = [
        np.mean([(d > 0).mean() for _, d in swept_depths(SHOTS, options(min_agreeing=n))])
        for n in (1, 2, 4)
    ]
    assert shares[0] > shares[1] > shares[2] > 0


def test_points_lie_on_the_wall_and_the_rest_anywhere_around_the_cameras() -> None:
    xyz, rgb = points_of_views(SHOTS, 200, 3, options())
    assert xyz.shape == rgb.shape == (200, 3) and rgb.dtype == np.uint8
    on_wall, anywhere = xyz[:180], xyz[180:]
    assert np.mean(np.abs(on_wall[:, 2] / DEPTH - 1) < 0.05) > 0.9
    middle, half_side = np.array([0.25, 0, 0]), 2.0 * 0.25
    assert (np.abs(anywhere - middle) <= half_side).all()
    assert np.ptp(anywhere, axis=0).min() > half_side
    # a point has the colour of the pixel that it was found in: grey
    assert (np.ptp(rgb[:180].astype(int), axis=1) == 0).all()


def test_points_follow_from_the_seed() -> None:
    one, again, other = (points_of_views(SHOTS, 60, seed, options())[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    for part in (slice(40), slice(40, 60)):  # on the wall, and anywhere
        assert not np.array_equal(one[part], other[part])


@pytest.mark.parametrize("seed", [0, 3])
def test_views_that_are_collected_one_by_one_give_the_same_points(seed: int) -> None:
    collected = starting_points(options(), 60, len(SHOTS), 0.5, seed)
    for shot in SHOTS:
        collected.add(np.full((HEIGHT, WIDTH), 9, np.float32), *shot)  # a depth nobody looks at
    for found, expected in zip(
        collected.noisy(), points_of_views(SHOTS, 60, seed, options()), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_of_plain_views_only_the_random_points_are_left() -> None:
    plain = [shot_at(0.1 * index, contrast=0.0) for index in range(4)]
    xyz, _ = points_of_views(plain, 200, 0, options())
    assert len(xyz) == 20
    assert len(points_of_views(SHOTS, 200, 0, options(n_random=0))[0]) == 200


def test_every_swept_view_has_its_share() -> None:
    xyz, _ = points_of_views(SHOTS, 120, 0, options(n_random=0))
    centres = np.array([rigid_inverse(shot.viewmat)[:3, 3] for shot in SHOTS])
    assert len(xyz) == 120 and np.ptp(xyz[:, 0]) > np.ptp(centres[:, 0])
