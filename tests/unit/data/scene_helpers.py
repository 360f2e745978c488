"""What several tests of the scene and its importers need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation

from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError

K = np.array([[20.0, 0, 8], [0, 21.0, 6], [0, 0, 1]])
ORIGIN = {"dataset": "toys", "scene": "shelf", "source": "made in a test", "licence": "none"}


@contextmanager
def one_line_error(*words: str) -> Iterator[None]:
    """Expect a one-line `SemsplatError` that contains all ``words``."""
    with pytest.raises(SemsplatError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def disown(scene_dir: Path) -> Path:
    """Make a scene somebody's own, whose files may be anything; return its folder."""
    (scene_dir / "manifest.json").unlink(missing_ok=True)
    return scene_dir


def random_image(width: int = 16, height: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def viewmat_at(x: float, degrees: float = 0.0) -> np.ndarray:
    """A world-to-camera matrix of a camera at (x, 0, -3), turned about the y axis."""
    viewmat = np.eye(4)
    viewmat[:3, :3] = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    viewmat[:3, 3] = -viewmat[:3, :3] @ [x, 0.0, -3.0]
    return viewmat


def write_tiny_scene(out_dir: Path, names: tuple[str, ...] = ("a", "b", "c")) -> Path:
    """The first frame is test, the others are training frames."""
    with SceneWriter(out_dir, **ORIGIN) as writer:
        for index, name in enumerate(names):
            split = "train" if index else "test"
            writer.add_frame(name, random_image(seed=index), viewmat_at(index), K, split)
        writer.set_points(np.ones((2, 3), np.float32), np.full((2, 3), 7, np.uint8))
    return out_dir


def assert_nothing_left(out_dir: Path) -> None:
    """Neither the folder nor a partial one is there."""
    assert not out_dir.exists()
    assert not list(out_dir.parent.glob("*partial*"))
    assert not list(out_dir.parent.glob(".*partial*"))


def make_model(
    camera: pycolmap.Camera, viewmats: dict[str, np.ndarray], points: np.ndarray
) -> pycolmap.Reconstruction:
    """A COLMAP model with one camera, an image per viewmat and ``points`` [N, 3]."""
    model = pycolmap.Reconstruction()
    camera.camera_id = 1
    model.add_camera_with_trivial_rig(camera)
    for number, (name, viewmat) in enumerate(viewmats.items(), start=1):
        image = pycolmap.Image(name=name, camera_id=1, image_id=number)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(viewmat[:3]))
    for index, point in enumerate(points):
        colour = np.array([index % 256, 10, 20], dtype=np.uint8)
        model.add_point3D(point, pycolmap.Track(), colour)
    return model
