"""A COLMAP model on disk, binary or text, read by pycolmap, and its photographs, found by name.

Camera models become pinholes: one plan per camera, applied to its images and label maps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pycolmap
from numpy.typing import NDArray

from semsplat.data.images import (
    Size,
    downscaled_size,
    image_files,
    image_size,
    read_rgb,
    resize_ids,
    resize_rgb,
    same_shape,
    scale_intrinsics,
)
from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError, one_line
from semsplat.io import read_lines

MODEL_FILES = ("cameras", "images", "points3D", "rigs", "frames")
PINHOLE_MODELS = ("SIMPLE_PINHOLE", "PINHOLE")
DISTORTED_MODELS = ("SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV", "OPENCV_FISHEYE")


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
    _mend_names(model, sparse_dir / "images.txt")
    if model.num_reg_images() == 0:
        raise SemsplatError(f"{sparse_dir}: no image is registered; run the reconstruction again")
    if model.num_points3D() == 0:
        raise SemsplatError(f"{sparse_dir}: no 3-D points; run COLMAP's point_triangulator")
    return model


def _mend_names(model: pycolmap.Reconstruction, path: Path) -> None:
    """Give images of a text model their whole names: pycolmap cuts them at a blank."""
    if not path.is_file() or path.with_suffix(".bin").is_file():
        return
    lines = [line for line in read_lines(path, "it is the model's") if not line.startswith("#")]
    for words in (line.split(maxsplit=9) for line in lines[::2]):
        if len(words) == 10 and words[0].isdecimal() and model.exists_image(int(words[0])):
            model.image(int(words[0])).name = words[9].strip()


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


class Photographs:
    """The registered images of a model, sorted by name, with their files.

    ``paths``: the file of each by name of the frame, which is the image's without suffix.
    """

    def __init__(self, sparse_dir: Path, folder: Path, max_width_px: int | None) -> None:
        """Read the model; its names are relative to ``folder``, wider images are shrunk.

        Raises what `read_model` raises.
        """
        self._model = read_model(sparse_dir)
        self._folder, self._max_width_px = folder, max_width_px
        registered = [self._model.image(image_id) for image_id in self._model.reg_image_ids()]
        self._images = sorted(registered, key=lambda image: image.name)
        self._files = {_composed(p.relative_to(folder)): p for p in image_files(folder)}
        self.paths = {_frame_name(image): self._path(image) for image in self._images}
        # Only the last plan is kept: it is as large as an image, and a model may have a camera
        # per image.  Images of one camera mostly follow each other by name.
        self._key: tuple[int, Size] | None = None

    def write(
        self,
        writer: SceneWriter,
        test: Collection[str],
        maps_of: Callable[[str, Path, Rectifier], dict[str, Any]],
    ) -> None:
        """Write all views, the model's points, and a note of the images without a pose.

        Raises a `SemsplatError` when an image is missing, unreadable or of a wrong size.

        Args:
            writer: of the scene.
            test: names of the frames that are held out.
            maps_of: from a frame's name, file and plan to its id maps and annotations, by name as
                `SceneWriter.add_frame` takes them.
        """
        for image in self._images:
            name, (path, plan) = _frame_name(image), self._locate(image)
            pixels = plan.image(read_rgb(path, plan.source_size))
            viewmat = np.vstack([image.cam_from_world().matrix(), [0.0, 0.0, 0.0, 1.0]])
            maps = maps_of(name, path, plan)
            writer.add_frame(
                name, pixels, viewmat, plan.K, "test" if name in test else "train", **maps
            )
        points = [self._model.point3D(number) for number in sorted(self._model.point3D_ids())]
        xyz = np.array([point.xyz for point in points], dtype=np.float64)
        writer.set_points(xyz, np.array([point.color for point in points], dtype=np.uint8))
        on_disk = {path.relative_to(self._folder).as_posix() for path in image_files(self._folder)}
        posed = {path.relative_to(self._folder).as_posix() for path in self.paths.values()}
        writer.note("unregistered_images", sorted(on_disk - posed))

    def _path(self, image: pycolmap.Image) -> Path:
        """Return an image's file, whichever Unicode form its name has there."""
        path = self._folder / image.name
        return path if path.is_file() else self._files.get(_composed(Path(image.name)), path)

    def _locate(self, image: pycolmap.Image) -> tuple[Path, Rectifier]:
        """Return the image's file and plan; raise when it is missing or of a wrong size."""
        path = self._path(image)
        if not path.is_file():
            raise SemsplatError(f"{path}: no such file, though the model registers this image")
        key = (image.camera_id, image_size(path))
        if key != self._key:
            camera = self._model.camera(image.camera_id)
            self._plan = plan_rectification(
                camera, key[1], max_width_px=self._max_width_px, where=str(path)
            )
            self._key = key
        return path, self._plan


def _composed(path: Path) -> str:
    """Return a relative path in the Unicode form of most systems; macOS writes the other."""
    return unicodedata.normalize("NFC", path.as_posix())


def _frame_name(image: pycolmap.Image) -> str:
    """Return the image's name without its suffix."""
    return str(PurePosixPath(_composed(Path(image.name))).with_suffix(""))
