"""Camera models to pinholes: one plan per camera, applied to its images and label maps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pycolmap
from numpy.typing import NDArray

from semsplat.data.images import (
    Size,
    downscaled_size,
    resize_ids,
    resize_rgb,
    same_shape,
    scale_intrinsics,
)
from semsplat.errors import SemsplatError

PINHOLE_MODELS = ("SIMPLE_PINHOLE", "PINHOLE")
DISTORTED_MODELS = ("SIMPLE_RADIAL", "RADIAL", "OPENCV")


@dataclass(frozen=True, eq=False)
class Rectifier:
    """Turns images of one camera and ``source_size`` into pinhole images of ``size``."""

    source_size: Size
    K: NDArray[np.float64]  # [3, 3] px, of the result
    size: Size  # of the result
    lookup: NDArray[np.float32] | None  # [h, w, 2] source pixel of each pinhole pixel (OpenCV's)

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the image [H, W, 3] undistorted (bilinear), then shrunk (area mean)."""
        return resize_rgb(self._remap(image, cv2.INTER_LINEAR), self.size)

    def ids(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the id map [H, W] undistorted and shrunk, nearest; 0 outside the source."""
        return resize_ids(self._remap(ids, cv2.INTER_NEAREST), self.size)

    def _remap(self, pixels: np.ndarray, interpolation: int) -> np.ndarray:
        """Return ``pixels`` through the lookup, black (0) where it leaves the source."""
        if self.lookup is None:
            return pixels
        return cv2.remap(pixels, self.lookup, None, interpolation)


def plan_rectification(
    camera: pycolmap.Camera,
    image_size: Size,
    *,
    max_width_px: int | None,
    where: str,
) -> Rectifier:
    """Return the plan for images of ``image_size`` taken with ``camera``.

    ``image_size`` may be the camera's size times one scale (folders such as ``images_4``); the
    intrinsics follow.  Raises a `SemsplatError` that starts with ``where`` for other sizes and for
    camera models without an undistortion to a pinhole.
    """
    camera_size = (camera.width, camera.height)
    if not same_shape(image_size, camera_size):
        raise SemsplatError(
            f"{where}: image of {image_size[0]}x{image_size[1]} pixels does not fit its camera of "
            f"{camera_size[0]}x{camera_size[1]}; use the images the model was made from"
        )
    if camera.model_name in PINHOLE_MODELS:
        K, full_size, lookup = camera.calibration_matrix(), image_size, None
        K = scale_intrinsics(K, camera_size, image_size)
    elif camera.model_name in DISTORTED_MODELS:
        K, full_size, lookup = _undistortion(camera, image_size)
    else:
        known = ", ".join(PINHOLE_MODELS + DISTORTED_MODELS)
        raise SemsplatError(
            f"{where}: camera model {camera.model_name} is not supported (supported: {known}); "
            "undistort with COLMAP's image_undistorter"
        )
    size = downscaled_size(full_size, max_width_px)
    return Rectifier(image_size, scale_intrinsics(K, full_size, size), size, lookup)


def _undistortion(
    camera: pycolmap.Camera, image_size: Size
) -> tuple[NDArray[np.float64], Size, NDArray[np.float32]]:
    """Return (K, size, lookup) of COLMAP's undistorted pinhole at the scale of the images."""
    pinhole = pycolmap.undistort_camera(pycolmap.UndistortCameraOptions(), camera)
    scale = np.array(image_size) / (camera.width, camera.height)  # [2]
    pinhole_size = (pinhole.width, pinhole.height)
    width, height = np.rint(scale * pinhole_size).astype(int).tolist()
    K = scale_intrinsics(pinhole.calibration_matrix(), pinhole_size, (width, height))
    pixels = np.ones((width, 3))  # one row of pixel centres, homogeneous
    pixels[:, 0] = np.arange(width) + 0.5
    lookup = np.empty((height, width, 2), dtype=np.float32)
    for row in range(height):  # row by row: in float64 a photograph's map would take a gigabyte
        pixels[:, 1] = row + 0.5
        source = camera.img_from_cam(pixels @ np.linalg.inv(K).T) * scale  # [w, 2]
        lookup[row] = source - 0.5  # OpenCV's pixel centres are at integers
    return K, (width, height), lookup
