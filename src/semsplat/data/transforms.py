"""``transforms.json`` as nerfstudio writes it: parsed, typed, intrinsics resolved per frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.io import read_json
from semsplat.verified import verified

# nerfstudio's perspective models; without distortion they are all pinholes.
PERSPECTIVE_MODELS = frozenset({"PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV"})
UNDISTORT_ADVICE = "undistort the images first, or import the folder with dataset 'nerfstudio'"


Unit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Intrinsics(BaseModel):
    """Camera of a frame, or of all frames; a key of the frame wins over the shared one."""

    camera_model: str | None = None
    is_fisheye: bool = False
    fl_x: float | None = None  # px, as all below
    fl_y: float | None = None
    cx: float | None = None
    cy: float | None = None
    w: int | None = None
    h: int | None = None
    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    p1: float = 0.0
    p2: float = 0.0


class FrameEntry(Intrinsics):
    """One entry of ``frames``; paths are relative to the scene folder."""

    file_path: str
    transform_matrix: list[list[float]]  # camera-to-world, OpenGL axes
    depth_file_path: str | None = None
    labels_file_path: str | None = None
    instances_file_path: str | None = None
    parts_file_path: str | None = None
    annotations_file_path: str | None = None


class Transforms(Intrinsics):
    """The whole file."""

    frames: list[FrameEntry]
    train_filenames: list[str] | None = None
    test_filenames: list[str] | None = None
    ply_file_path: str | None = None
    applied_transform: list[list[float]] | None = None  # of our coordinates to the stored ones
    applied_scale: Unit = 1.0
    depth_unit_scale_factor: Unit = 0.001  # nerfstudio's default: millimetres


def read_transforms(path: Path) -> Transforms:
    """Return the parsed file; what does not fit is a one-line `SemsplatError`."""
    try:
        return Transforms.model_validate(read_json(verified(path)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise SemsplatError(f"{path}: {place}: {first['msg']}") from None


def frame_name(file_path: str, path: Path) -> str:
    """Return the frame's name: its path without suffix and without the ``images*`` folder.

    Raises when the path leaves the scene folder: names become paths of predictions.
    """
    posix = PurePosixPath(file_path)
    if posix.is_absolute() or ".." in posix.parts or not posix.stem:
        raise SemsplatError(f"{path}: '{file_path}' is not a path inside the scene folder")
    in_images = len(posix.parts) > 1 and posix.parts[0].startswith("images")
    return str(PurePosixPath(*posix.parts[in_images:]).with_suffix(""))


def known_names(path: Path, filenames: Iterable[str], frames: Collection[str]) -> list[str]:
    """Return the frame names of ``filenames``, each once; raise at one that is no frame."""
    names = list(dict.fromkeys(frame_name(filename, path) for filename in filenames))
    for name in names:
        if name not in frames:
            hint = did_you_mean(name, list(frames))
            raise SemsplatError(f"{path}: the split names '{name}', which is no frame{hint}")
    return names


def camera_values(shared: Transforms, frame: FrameEntry) -> Intrinsics:
    """Return the camera of a frame: its own keys, and for the rest those of all frames."""
    fields = set(Intrinsics.model_fields)
    values = shared.model_dump(include=fields, exclude_unset=True)
    values |= frame.model_dump(include=fields, exclude_unset=True)
    return Intrinsics(**values)


def resolve_camera(
    shared: Transforms, frame: FrameEntry, where: str
) -> tuple[NDArray[np.float64], int, int]:
    """Return (K [3, 3] float64 px, width, height) of a frame.

    Raises a `SemsplatError` that starts with ``where`` for missing intrinsics, lens distortion
    and cameras that are not perspective.
    """
    camera = camera_values(shared, frame)
    if camera.camera_model not in PERSPECTIVE_MODELS | {None}:
        raise SemsplatError(f"{where}: camera_model {camera.camera_model}; {UNDISTORT_ADVICE}")
    if camera.is_fisheye:
        raise SemsplatError(f"{where}: is_fisheye is true; {UNDISTORT_ADVICE}")
    if any((camera.k1, camera.k2, camera.k3, camera.k4, camera.p1, camera.p2)):
        raise SemsplatError(f"{where}: lens distortion is not zero; {UNDISTORT_ADVICE}")
    needed = {key: getattr(camera, key) for key in ("fl_x", "fl_y", "cx", "cy", "w", "h")}
    missing = [key for key, value in needed.items() if value is None]
    if missing:
        raise SemsplatError(f"{where}: no {', '.join(missing)}; add the camera's intrinsics")
    fx, fy, cx, cy, width, height = needed.values()
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64)
    return K, width, height


def intrinsics(K: NDArray[np.float64], width: int, height: int) -> dict[str, float]:
    """Return nerfstudio's intrinsic keys."""
    fx, fy, cx, cy = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, "w": width, "h": height}


def hoist_intrinsics(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Return ``frames`` under its key, with intrinsics that all share moved beside it."""
    keys = intrinsics(np.eye(3), 0, 0).keys()
    shared = {key: frames[0][key] for key in keys}
    if any(frame[key] != shared[key] for frame in frames for key in keys):
        return {"frames": frames}
    stripped = [{k: v for k, v in frame.items() if k not in keys} for frame in frames]
    return {**shared, "frames": stripped}
