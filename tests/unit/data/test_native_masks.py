"""Masks of published data sets follow their images through lens and scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from semsplat.data.colmap_model import plan_rectification
from semsplat.data.images import write_png
from semsplat.data.native_masks import NativeMasks

LENS = {"model": "SIMPLE_RADIAL", "params": [40.0, 32.0, 24.0, 0.2]}


@pytest.mark.parametrize("scale", [1, 3])
def test_masks_are_undistorted_as_the_image_whatever_their_size(tmp_path: Path, scale: int) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[4:30, 5:40] = 255
    write_png(tmp_path / "cup.png", np.kron(mask, np.ones((scale, scale), np.uint8)))
    camera = pycolmap.Camera(width=64, height=48, **LENS)
    plan = plan_rectification(camera, (64, 48), max_width_px=None, where="a test")
    found = NativeMasks({"a": [tmp_path / "cup.png"]}).read("a", plan)
    assert found is not None
    image = plan.image(np.repeat(mask[..., None], 3, axis=2))[..., 0]
    clear = (image == 0) | (image == 255)  # elsewhere the bilinear image has soft edges
    assert 0.8 < clear.mean() < 1 and plan.lookup is not None
    np.testing.assert_array_equal(found["cup"][clear], image[clear] == 255)


def test_a_frame_without_masks_has_none(tmp_path: Path) -> None:
    plan = plan_rectification(
        pycolmap.Camera(width=64, height=48, **LENS), (64, 48), max_width_px=8, where="a test"
    )
    assert NativeMasks({}).read("a", plan) is None
    dot = np.zeros((48, 64), np.uint8)
    dot[20, 20] = 255  # too small for an image of 8 pixels width
    write_png(tmp_path / "dot.png", dot)
    masks = NativeMasks({"a": [tmp_path / "dot.png"]})
    assert masks.read("a", plan) is None and masks.empty == ["a/dot"]
