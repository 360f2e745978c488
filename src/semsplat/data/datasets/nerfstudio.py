"""A folder with nerfstudio's ``transforms.json``: ``ns-process-data``, Polycam, Record3D, LERF.

Poses and points are taken as they are stored; ``applied_transform``, which led there from where
they were made, is noted.  Lens distortion is taken out, fisheye too, as of COLMAP's models.  Depth
and masks are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pycolmap
from pydantic import Field

from semsplat.data.colmap_model import Rectifier, plan_rectification
from semsplat.data.images import Size, image_size, read_rgb
from semsplat.data.poses import check_rigid, flip_camera_axes, rigid_inverse
from semsplat.data.scene import split_every
from semsplat.data.scene_writer import Origin
from semsplat.data.transforms import (
    FrameEntry,
    Intrinsics,
    Transforms,
    camera_values,
    frame_name,
    known_names,
    read_transforms,
)
from semsplat.errors import SemsplatError
from semsplat.vertices import read_points

FILE = "transforms.json"
FISHEYE = "OPENCV_FISHEYE"
PERSPECTIVE = (None, "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV")
Split = tuple[Sequence[str], Sequence[str]]


class Options(Origin):
    """Where the material lies and how it is taken over."""

    root: str
    """folder with transforms.json, or that file"""
    split: Literal["fraction", "interval", "filename"]
    """what is held out where the file has no lists of its own, as nerfstudio's parser: all but a
    fraction, spread evenly; every n-th; or what has eval, and not train, in its name"""
    train_fraction: float = Field(gt=0, lt=1)
    """of the images, for fraction"""
    test_every: int = Field(ge=2)
    """n, for interval"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing or broken transforms.json adds none."""
    path = _file(options)
    if not path.is_file():
        return []
    transforms = read_transforms(path)
    named = [entry.file_path for entry in transforms.frames]
    named += [transforms.ply_file_path] if transforms.ply_file_path else []
    files = {path.parent / name for name in named}
    return sorted({path, *(file for file in files if file.is_file())})


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    Raises a one-line `SemsplatError`, and leaves nothing, for missing or unreadable files, poses
    that are not rigid, cameras that are no lens's, and splits without training views.
    """
    path = _file(options)
    transforms = read_transforms(path)
    entries = _by_frame(transforms, path)
    train, test = split_of(transforms, sorted(entries), options, path)
    with options.writer(scene, out_dir) as writer:
        for name in (*train, *test):
            image, plan = _photograph(path, transforms, entries[name], options.max_width_px)
            c2w = np.array(entries[name].transform_matrix, dtype=np.float64)
            check_rigid(c2w, f"{path}: frame '{name}'")
            viewmat = rigid_inverse(flip_camera_axes(c2w))
            split: Literal["train", "test"] = "test" if name in test else "train"
            writer.add_frame(name, image, viewmat, plan.K, split)
        if transforms.ply_file_path is not None:
            points = path.parent / transforms.ply_file_path
            writer.set_points(*read_points(points, "process the data again"))
        writer.note("applied_transform", transforms.applied_transform)
        writer.note("left_out", sorted(entries.keys() - {*train, *test}))


def _by_frame(transforms: Transforms, path: Path) -> dict[str, FrameEntry]:
    """Return the entries by the names of their frames; raise where two have one name."""
    entries: dict[str, FrameEntry] = {}
    for entry in transforms.frames:
        name = frame_name(entry.file_path, path)
        if name in entries:
            raise SemsplatError(f"{path}: two frames are named '{name}'; rename one")
        entries[name] = entry
    return entries


def _file(options: Options) -> Path:
    """Return the file that is read."""
    root = Path(options.root)
    return root if root.suffix == ".json" else root / FILE


def split_of(transforms: Transforms, names: Sequence[str], options: Options, path: Path) -> Split:
    """Return the names of training and of held-out views, as nerfstudio's parser splits them.

    Args:
        transforms: whose lists hold, where it has any.
        names: of all frames, sorted.
        options: how to split otherwise.
        path: of the file, for errors.

    Raises:
        SemsplatError: no view is left to train on, or a name says neither train nor eval.
    """
    train: Sequence[str]
    test: Sequence[str]
    if transforms.train_filenames is not None or transforms.test_filenames is not None:
        train = known_names(path, transforms.train_filenames or (), names)
        test = known_names(path, transforms.test_filenames or (), names)
    elif options.split == "interval":
        train, test = split_every(names, options.test_every)
    elif options.split == "fraction":
        count = int(np.ceil(len(names) * options.train_fraction))
        kept = set(np.linspace(0, len(names) - 1, count).astype(int).tolist())
        train = [name for place, name in enumerate(names) if place in kept]
        test = [name for place, name in enumerate(names) if place not in kept]
    else:
        train, test = _by_name(names, path)
    if not train:
        raise SemsplatError(f"{path}: no training view; choose another split")
    return train, test


def _by_name(names: Sequence[str], path: Path) -> Split:
    """Return the names with train, and those with eval in their last part."""
    train = [name for name in names if "train" in Path(name).name]
    test = [name for name in names if name not in train and "eval" in Path(name).name]
    if strange := [name for name in names if name not in {*train, *test}]:
        raise SemsplatError(f"{path}: '{strange[0]}' has neither train nor eval in its name")
    return train, test


def _photograph(
    path: Path, transforms: Transforms, entry: FrameEntry, max_width_px: int | None
) -> tuple[Any, Rectifier]:
    """Return a frame's image without distortion, uint8 [H, W, 3], and how it came about."""
    file, where = path.parent / entry.file_path, f"{path}: frame '{entry.file_path}'"
    if not file.is_file():
        raise SemsplatError(f"{file}: no such file, though {path.name} names it")
    size = image_size(file)
    camera = camera_of(camera_values(transforms, entry), size, where)
    plan = plan_rectification(camera, size, max_width_px=max_width_px, where=where)
    return plan.image(read_rgb(file, size)), plan


def camera_of(values: Intrinsics, size: Size, where: str) -> pycolmap.Camera:
    """Return COLMAP's camera of nerfstudio's intrinsics.

    Args:
        values: of a frame; without ``w`` and ``h`` they are of the image's size.
        size: of the image, px.
        where: the head of an error's line.

    Raises:
        SemsplatError: intrinsics are missing, or the camera is no lens (a panorama).
    """
    missing = [key for key in ("fl_x", "cx", "cy") if getattr(values, key) is None]
    if missing:
        raise SemsplatError(f"{where}: no {', '.join(missing)}; add the camera's intrinsics")
    fisheye = values.is_fisheye or values.camera_model == FISHEYE
    if not fisheye and values.camera_model not in PERSPECTIVE:
        raise SemsplatError(
            f"{where}: camera_model {values.camera_model} cannot be made a pinhole; export"
            " perspective views"
        )
    focal_y = values.fl_x if values.fl_y is None else values.fl_y
    pinhole = [values.fl_x, focal_y, values.cx, values.cy]
    radial, tangential = [values.k1, values.k2], [values.p1, values.p2]
    if fisheye:
        model, numbers = FISHEYE, [*pinhole, *radial, values.k3, values.k4]
    elif values.k3 or values.k4:
        model, numbers = "FULL_OPENCV", [*pinhole, *radial, *tangential, values.k3, values.k4, 0, 0]
    elif any(radial + tangential):
        model, numbers = "OPENCV", [*pinhole, *radial, *tangential]
    else:
        model, numbers = "PINHOLE", pinhole
    width, height = values.w or size[0], values.h or size[1]
    return pycolmap.Camera(model=model, width=width, height=height, params=numbers)
