"""A COLMAP model on disk, binary or text, read by pycolmap, and its photographs, found by name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pycolmap

from semsplat.data.images import Size, image_files, image_size, read_rgb
from semsplat.data.rectify import Rectifier, plan_rectification
from semsplat.data.scene_writer import SceneWriter
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
        self.paths = {_frame_name(image): folder / image.name for image in self._images}
        # Only the last plan is kept: it is as large as an image, and a model may have a camera
        # per image.  Images of one camera mostly follow each other by name.
        self._key: tuple[int, Size] | None = None

    def __len__(self) -> int:
        """Return the number of registered images."""
        return len(self._images)

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
        xyz = np.array([point.xyz for point in points], dtype=np.float32)
        writer.set_points(xyz, np.array([point.color for point in points], dtype=np.uint8))
        on_disk = {path.relative_to(self._folder).as_posix() for path in image_files(self._folder)}
        posed = {image.name for image in self._images}
        writer.note("unregistered_images", sorted(on_disk - posed))

    def _locate(self, image: pycolmap.Image) -> tuple[Path, Rectifier]:
        """Return the image's file and plan; raise when it is missing or of a wrong size."""
        path = self._folder / image.name
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


def _frame_name(image: pycolmap.Image) -> str:
    """Return the image's name without its suffix."""
    return str(PurePosixPath(image.name).with_suffix(""))
