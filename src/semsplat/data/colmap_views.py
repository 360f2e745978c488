"""The photographs of a COLMAP model on disk, matched to its images by name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pycolmap

from semsplat.data.images import Size, image_files, image_size
from semsplat.data.rectify import Rectifier, plan_rectification
from semsplat.errors import SemsplatError


class Views:
    """Finds the registered images on disk and plans their rectification."""

    def __init__(
        self, model: pycolmap.Reconstruction, folder: Path, max_width_px: int | None
    ) -> None:
        """Prepare; the model's names are relative to ``folder``, wider images are shrunk."""
        self._model = model
        self._folder = folder
        self._max_width_px = max_width_px
        # Only the last plan is kept: it is as large as an image, and a model may have a camera
        # per image.  Images of one camera mostly follow each other by name.
        self._key: tuple[int, Size] | None = None

    def locate(self, image: pycolmap.Image) -> tuple[Path, Rectifier]:
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


def frame_name(image: pycolmap.Image) -> str:
    """Return the image's name without its suffix."""
    return str(PurePosixPath(image.name).with_suffix(""))


def unregistered(folder: Path, images: list[pycolmap.Image]) -> list[str]:
    """Return the names of images on disk that have no pose, sorted."""
    on_disk = {path.relative_to(folder).as_posix() for path in image_files(folder)}
    return sorted(on_disk - {image.name for image in images})
