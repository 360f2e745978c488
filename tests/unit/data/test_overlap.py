"""Which pixels of two views show the same surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.data.depth import shared_pixels
from semsplat.data.scene import load_depth, load_scene
from semsplat.evaluate.pairs import DEPTH_TOLERANCE
from tests.unit.evaluate.feature_helpers import DISTANCE, HEIGHT, WIDTH, write_wall


def pair(tmp_path: Path, x: float, **scene: Any) -> tuple[np.ndarray, np.ndarray]:
    first, second = load_scene(write_wall(tmp_path / "scene", (0.0, x), **scene)).train
    return shared_pixels(first, load_depth(first), second, load_depth(second), DEPTH_TOLERANCE)


@pytest.mark.parametrize("pixels", [0, 1, 3, 15, 16, -3])
def test_a_shift_along_a_wall_moves_every_pixel_by_the_disparity(
    tmp_path: Path, pixels: int
) -> None:
    here, there = pair(tmp_path, x=pixels * DISTANCE / 20)  # focal length 20 px
    v, u = np.unravel_index(here, (HEIGHT, WIDTH))
    expected = [(j, i) for j in range(HEIGHT) for i in range(WIDTH) if 0 <= i - pixels < WIDTH]
    assert list(zip(v.tolist(), u.tolist(), strict=True)) == expected
    assert (there == here - pixels).all()


def test_unknown_depth_is_never_visible(tmp_path: Path) -> None:
    depth = np.full((HEIGHT, WIDTH), DISTANCE)
    depth[:, 5] = 0
    here, there = pair(tmp_path, x=DISTANCE / 20, depth=depth)
    assert not (here % WIDTH == 5).any() and not (there % WIDTH == 5).any()
    assert len(here) == HEIGHT * (WIDTH - 3)  # columns 0 and 5 leave, and 6 lands on 5


@pytest.mark.parametrize(("factor", "visible"), [(0.9, True), (1.1, False)])
def test_depths_agree_up_to_the_tolerance(tmp_path: Path, factor: float, visible: bool) -> None:
    scene = load_scene(write_wall(tmp_path / "scene", (0.0, 0.0)))
    first, second = scene.train
    depth = load_depth(first)
    for sign in (-1, 1):
        other = depth / np.float32(1 + sign * factor * DEPTH_TOLERANCE)
        here, _ = shared_pixels(first, depth, second, other, DEPTH_TOLERANCE)
        assert len(here) == (depth.size if visible else 0)


def test_what_lies_behind_the_second_camera_is_not_visible(tmp_path: Path) -> None:
    first, second = load_scene(write_wall(tmp_path / "scene", (0.0, 0.0))).train
    second.viewmat[:3, 3] = [0, 0, -2 * DISTANCE]
    depth = load_depth(first)
    here, _ = shared_pixels(first, depth, second, depth, DEPTH_TOLERANCE)
    assert here.size == 0
