"""The canonical scene, read: the only form in which later phases see a data set.

``load_scene`` checks poses, names, splits and the presence of every file; pixels are decoded
later, one view at a time, by ``load_image``, ``load_depth`` and ``load_ids``, and annotations by
``semsplat.data.annotations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import read_ids, read_rgb
from semsplat.data.normal_frame import OWN, NormalFrame, camera_extent, recorded_frame
from semsplat.data.poses import (
    camera_centre,
    check_intrinsics,
    check_rigid,
    flip_camera_axes,
    rigid_inverse,
)
from semsplat.data.transforms import (
    FrameEntry,
    Transforms,
    frame_name,
    known_names,
    read_transforms,
    resolve_camera,
)
from semsplat.errors import SemsplatError
from semsplat.io import read_json
from semsplat.verified import verified
from semsplat.vertices import read_points

HELD_OUT_EVERY = 8  # 3DGS (llffhold) and nerfstudio, where a data set states no split

Split = Literal["train", "test"]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """A pinhole camera in a scene."""

    name: str
    viewmat: NDArray[np.float64]
    """[4, 4] world-to-camera, OpenCV axes."""
    K: NDArray[np.float64]
    """[3, 3] px, centre of the top-left pixel at (0.5, 0.5)."""
    width: int
    """px."""
    height: int
    """px."""


@dataclass(frozen=True, eq=False)
class Frame(Viewpoint):
    """One posed view; ``name``, by which it is known everywhere, is its file's without suffix.

    Subfolders are joined to it by "/".
    """

    image_path: Path
    depth_path: Path | None
    labels_path: Path | None
    instances_path: Path | None
    parts_path: Path | None
    annotations_path: Path | None
    """A file of polygons or a folder of masks."""
    depth_unit: float
    """Scene units per unit of the stored depth."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene on disk: no name is both in ``train`` and in ``test``."""

    scene_dir: Path
    frames: tuple[Frame, ...]
    """Train and test in the order of the file, in which the camera passes."""
    train: tuple[Frame, ...]
    """At least one."""
    test: tuple[Frame, ...]
    points_path: Path | None
    """Initial points, PLY."""
    stored_in: NormalFrame = OWN
    """From the scene's own coordinates to the stored ones."""

    @staticmethod
    def open(scene_dir: Path | str) -> Scene:
        """Return the checked scene of a folder; see `load_scene`."""
        return load_scene(Path(scene_dir))


def load_scene(scene_dir: Path) -> Scene:
    """Return the checked scene of a canonical or plain nerfstudio folder.

    Without ``train_filenames`` and ``test_filenames`` every 8th image by name is held out, as
    nerfstudio and 3DGS do.  Raises a one-line `SemsplatError` naming the file for anything amiss:
    missing files, poses that are not rigid, distorted cameras, names twice or unknown, no training
    frame.
    """
    path = scene_dir / "transforms.json"
    transforms = read_transforms(path)
    frames: dict[str, Frame] = {}
    for entry in transforms.frames:
        frame = _load_frame(path, transforms, entry)
        if frame.name in frames:
            raise SemsplatError(f"{path}: two frames are named '{frame.name}'; rename one")
        frames[frame.name] = frame
    train, test = _split(path, transforms, frames)
    if not train:
        raise SemsplatError(f"{path}: no training frame; list some in train_filenames")
    points_path = _optional_file(path, transforms.ply_file_path)
    kept = {frame.name for frame in (*train, *test)}
    shown = tuple(frame for frame in frames.values() if frame.name in kept)
    stored_in = recorded_frame(transforms.applied_transform, transforms.applied_scale)
    return Scene(scene_dir, shown, train, test, points_path, stored_in)


def split_every(items: Sequence[T], every: int) -> tuple[list[T], list[T]]:
    """Return (train, test): test holds indices 0, ``every``, 2 ``every`` ... of ``items``."""
    train = [item for index, item in enumerate(items) if index % every]
    return train, list(items[::every])


def load_image(frame: Frame) -> NDArray[np.uint8]:
    """Return the image as uint8 [H, W, 3] sRGB.

    Raises a `SemsplatError` when it is unreadable, of another size, or has transparent pixels.
    """
    return read_rgb(frame.image_path, (frame.width, frame.height))


def load_depth(frame: Frame) -> NDArray[np.float32]:
    """Return z in the camera frame as float32 [H, W] scene units, 0 = unknown.

    Raises a `SemsplatError` when the frame has no depth, or the file is unreadable or of another
    size.
    """
    if frame.depth_path is None:
        raise SemsplatError(f"frame '{frame.name}' has no depth; add depth_file_path to it")
    units = load_ids(frame.depth_path, frame)
    return (units * frame.depth_unit).astype(np.float32)


def load_ids(path: Path, frame: Frame) -> NDArray[np.int32]:
    """Return ``frame``'s labels, instances or parts at ``path`` as int32 [H, W], 0 = none.

    Raises a `SemsplatError` when the file is missing, unreadable or of another size.
    """
    return read_ids(path, (frame.width, frame.height))


def load_points(scene: Scene) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the initial points (xyz float32 [N, 3], rgb uint8 [N, 3]), N > 0.

    Raises a `SemsplatError` when there are none, or they lack colours or are not finite.
    """
    if scene.points_path is None:
        raise SemsplatError(f"{scene.scene_dir}: no initial points; add ply_file_path")
    path = scene.points_path
    precise, rgb = read_points(path, "write it anew")
    xyz = precise.astype(np.float32)
    if len(xyz) == 0 or not np.isfinite(xyz).all() or rgb.dtype != np.uint8:
        raise SemsplatError(f"{path}: points must be finite, 8-bit coloured and at least one")
    return xyz, rgb


def load_semantics(scene: Scene) -> dict[str, Any]:
    """Return ``semantics.json``: ``classes`` ``[{"id", "name"}]`` and further keys."""
    return read_json(verified(scene.scene_dir / "semantics.json"))


def scene_extent(scene: Scene) -> float:
    """Return 3DGS's camera extent in world units.

    1.1 x the largest distance of a training camera from their mean; 0 for a single camera.
    """
    centres = np.stack([camera_centre(frame.viewmat) for frame in scene.train])  # [V, 3]
    return camera_extent(centres)


def _load_frame(path: Path, transforms: Transforms, entry: FrameEntry) -> Frame:
    """Return one checked frame of the ``transforms.json`` at ``path``."""
    name = frame_name(entry.file_path, path)
    where = f"{path}: frame '{name}'"
    try:
        c2w = np.array(entry.transform_matrix, dtype=np.float64)
    except ValueError:
        raise SemsplatError(f"{where}: the pose has rows of unequal length") from None
    check_rigid(c2w, where)
    K, width, height = resolve_camera(transforms, entry, where)
    check_intrinsics(K, where)
    return Frame(
        name=name,
        image_path=_file(path, entry.file_path),
        viewmat=rigid_inverse(flip_camera_axes(c2w)),
        K=K,
        width=width,
        height=height,
        depth_path=_optional_file(path, entry.depth_file_path),
        labels_path=_optional_file(path, entry.labels_file_path),
        instances_path=_optional_file(path, entry.instances_file_path),
        parts_path=_optional_file(path, entry.parts_file_path),
        annotations_path=_optional_file(path, entry.annotations_file_path, or_folder=True),
        depth_unit=transforms.depth_unit_scale_factor,
    )


def _optional_file(path: Path, relative: str | None, or_folder: bool = False) -> Path | None:
    """Return the file, or perhaps folder, or None where ``transforms.json`` names none."""
    if relative is not None and or_folder and (path.parent / relative).is_dir():
        return path.parent / relative
    return None if relative is None else _file(path, relative)


def _file(path: Path, relative: str) -> Path:
    """Return the file that ``path`` names relative to its folder; raise when it is missing."""
    file = _inside(path, relative)
    if not file.is_file():
        raise SemsplatError(f"{file}: no such file, though {path.name} names it")
    return file


def _inside(path: Path, relative: str) -> Path:
    """Return what ``path`` names; raise where that is outside its folder, by name or by a link."""
    place = path.parent / relative
    if not place.resolve().is_relative_to(path.parent.resolve()):
        raise SemsplatError(f"{path}: '{relative}' leads out of the scene's folder; copy it there")
    return place


def _split(
    path: Path, transforms: Transforms, frames: dict[str, Frame]
) -> tuple[tuple[Frame, ...], tuple[Frame, ...]]:
    """Return (train, test) in the order of the file's lists; by name where it has none."""
    if transforms.train_filenames is None and transforms.test_filenames is None:
        train, test = split_every(sorted(frames), HELD_OUT_EVERY)
    else:
        train = known_names(path, transforms.train_filenames or [], frames)
        test = known_names(path, transforms.test_filenames or [], frames)
    shared = sorted(set(train) & set(test))
    if shared:
        raise SemsplatError(f"{path}: '{shared[0]}' is both in train and in test; drop one")
    return tuple(frames[name] for name in train), tuple(frames[name] for name in test)
