"""A COLMAP model on disk, binary or text, read by pycolmap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
from numpy.typing import NDArray

from semsplat.errors import SemsplatError, one_line

MODEL_FILES = ("cameras", "images", "points3D", "rigs", "frames")


def model_files(sparse_dir: Path) -> list[Path]:
    """Return the files of the model in ``sparse_dir``, sorted; empty when there is none."""
    names = {f"{stem}{suffix}" for stem in MODEL_FILES for suffix in (".bin", ".txt")}
    return [sparse_dir / name for name in sorted(names) if (sparse_dir / name).is_file()]


def read_model(sparse_dir: Path) -> pycolmap.Reconstruction:
    """Return the model; raise a `SemsplatError` when it is missing, broken or empty."""
    try:
        model = pycolmap.Reconstruction(str(sparse_dir))
    except (ValueError, IndexError, RuntimeError, MemoryError, OSError) as error:
        raise SemsplatError(
            f"{sparse_dir}: not a readable COLMAP model ({one_line(error)}); it needs cameras,"
            " images and points3D as .bin or .txt"
        ) from None
    if model.num_reg_images() == 0:
        raise SemsplatError(f"{sparse_dir}: no image is registered; run the reconstruction again")
    if model.num_points3D() == 0:
        raise SemsplatError(f"{sparse_dir}: no 3-D points; run COLMAP's point_triangulator")
    return model


def registered_images(model: pycolmap.Reconstruction) -> list[pycolmap.Image]:
    """Return the images that have a pose, sorted by name."""
    images = [model.image(image_id) for image_id in model.reg_image_ids()]
    return sorted(images, key=lambda image: image.name)


def viewmat(image: pycolmap.Image) -> NDArray[np.float64]:
    """Return the image's pose [4, 4]: world-to-camera, OpenCV axes."""
    return np.vstack([image.cam_from_world().matrix(), [0.0, 0.0, 0.0, 1.0]])


def model_points(
    model: pycolmap.Reconstruction,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return (xyz float32 [N, 3], rgb uint8 [N, 3]) in the order of the point ids."""
    points = [model.point3D(point_id) for point_id in sorted(model.point3D_ids())]
    xyz = np.array([point.xyz for point in points], dtype=np.float32)
    return xyz, np.array([point.color for point in points], dtype=np.uint8)
