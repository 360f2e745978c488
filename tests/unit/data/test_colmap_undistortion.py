from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from semsplat.data.colmap_model import plan_rectification
from semsplat.data.images import Size

WIDTH, HEIGHT, FOCAL = 320, 240, 250.0
CAMERAS = {
    "SIMPLE_RADIAL": [FOCAL, 160.0, 120.0, -0.15],
    "RADIAL": [FOCAL, 158.0, 121.0, 0.12, -0.03],
    "OPENCV": [FOCAL, 255.0, 163.0, 118.0, -0.2, 0.05, 0.004, -0.003],
}
SPOT_PX = 2.0  # standard deviation of the drawn spots


def camera(model: str) -> pycolmap.Camera:
    return pycolmap.Camera(model=model, width=WIDTH, height=HEIGHT, params=CAMERAS[model])


def grid_rays() -> np.ndarray:
    """Rays [N, 3] of a grid of points in front of the camera, inside the image."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 7), np.linspace(-0.36, 0.36, 5))
    return np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)


def draw_spots(centres: np.ndarray, size: Size) -> np.ndarray:
    """A uint8 image [H, W, 3] with a soft spot at every centre [N, 2]."""
    u, v = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    squared = (u - centres[:, 0, None, None]) ** 2 + (v - centres[:, 1, None, None]) ** 2
    spots = np.exp(-squared / (2 * SPOT_PX**2)).sum(axis=0)
    return np.repeat((255 * np.minimum(spots, 1)).astype(np.uint8)[..., None], 3, axis=2)


def spot_centre(image: np.ndarray, near: np.ndarray, radius: int) -> np.ndarray:
    """The centre of mass (u, v) of the pixels around ``near``."""
    u0, v0 = np.floor(near).astype(int) - radius
    window = image[v0 : v0 + 2 * radius + 1, u0 : u0 + 2 * radius + 1, 0].astype(float)
    v, u = np.indices(window.shape) + 0.5
    return np.array([(window * u).sum() + 0, (window * v).sum()]) / window.sum() + (u0, v0)


@pytest.mark.parametrize("model", CAMERAS)
@pytest.mark.parametrize(("scale", "max_width_px"), [(1, None), (1, 160), (2, None)])
def test_features_land_on_their_pinhole_projection(
    model: str, scale: int, max_width_px: int | None
) -> None:
    size = (WIDTH * scale, HEIGHT * scale)
    rays = grid_rays()
    distorted = draw_spots(camera(model).img_from_cam(rays) * scale, size)
    plan = plan_rectification(camera(model), size, max_width_px=max_width_px, where="a.png")
    image = plan.image(distorted)
    assert image.shape == (plan.size[1], plan.size[0], 3)
    errors = []
    for u, v, _ in rays @ plan.K.T:
        if 9 < u < plan.size[0] - 9 and 9 < v < plan.size[1] - 9:
            errors.append(spot_centre(image, np.array([u, v]), 6) - (u, v))
    assert len(errors) > 20
    assert np.abs(errors).max() < 0.1


@pytest.mark.parametrize("model", CAMERAS)
def test_undistorted_image_is_that_of_colmap(model: str, tmp_path: Path) -> None:
    smooth = draw_spots(camera(model).img_from_cam(grid_rays()), (WIDTH, HEIGHT))
    plan = plan_rectification(camera(model), (WIDTH, HEIGHT), max_width_px=None, where="a.png")
    expected, pinhole = pycolmap.undistort_image(
        pycolmap.UndistortCameraOptions(), pycolmap.Bitmap.from_array(smooth), camera(model)
    )
    np.testing.assert_allclose(plan.K, pinhole.calibration_matrix())
    np.testing.assert_allclose(plan.image(smooth), expected.to_array().astype(int), atol=4)


@pytest.mark.parametrize("max_width_px", [None, 160])
def test_labels_stay_on_the_image(max_width_px: int | None) -> None:
    edge = np.where(np.arange(WIDTH) < 200, 0, 255).astype(np.uint8)
    image = np.broadcast_to(edge[None, :, None], (HEIGHT, WIDTH, 3)).copy()
    labels = np.where(image[..., 0] > 0, 700, 3).astype(np.int32)
    plan = plan_rectification(
        camera("OPENCV"), (WIDTH, HEIGHT), max_width_px=max_width_px, where="a.png"
    )
    ids, grey = plan.ids(labels), plan.image(image)[..., 0]
    assert set(np.unique(ids)) <= {0, 3, 700}
    inside = ids > 0
    clear = inside & ((grey < 5) | (grey > 250))
    assert inside.mean() > 0.9 and clear.sum() > 0.95 * inside.sum()
    np.testing.assert_array_equal(ids[clear] == 700, grey[clear] > 250)
