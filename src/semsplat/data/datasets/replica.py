"""Replica as Semantic-NeRF renders it; the procedural worlds are written in the same layout.

Below ``<root>/<sequence>/``: ``rgb/rgb_N.png``, ``depth/depth_N.png`` (16-bit millimetres),
``semantic_class/semantic_class_N.png`` (0 = void), optionally
``semantic_instance/semantic_instance_N.png`` and (our extension)
``semantic_part/semantic_part_N.png``, and ``traj_w_c.txt``: one row-wise camera-to-world matrix in
OpenCV axes per line, line i for the i-th image by number.  ``info_semantic.json`` with ``classes``
and ``objects`` lies there or in ``<root>/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.data.images import (
    Size,
    downscaled_size,
    image_size,
    read_ids,
    read_rgb,
    resize_ids,
    resize_rgb,
    scale_intrinsics,
)
from semsplat.data.plane_sweep import Sweep, starting_points
from semsplat.data.poses import check_rigid, read_table, rigid_inverse
from semsplat.data.privileges import CLASSES_OF_LABELS, POINTS_OF_DEPTH, without_others
from semsplat.data.scene import Split, split_every
from semsplat.data.scene_writer import Origin
from semsplat.errors import SemsplatError
from semsplat.io import read_json

MILLIMETRE_M = 0.001
TRAJECTORY = "traj_w_c.txt"
INFO = "info_semantic.json"
ID_KINDS = {
    "semantic_class": "labels",
    "semantic_instance": "instances",
    "semantic_part": "parts",
}
KINDS = ("rgb", "depth", *ID_KINDS)

Ids = dict[str, NDArray[np.int32]]
"""The id maps of a view: "labels" and what is there of "instances" and "parts", each [H, W]."""
Annotator = Callable[[int, Ids, list[dict[str, Any]]], list[dict[str, Any]] | None]
"""From a view's place in the order of frames, its ids and the scene's objects to its labels."""


class Options(Origin):
    """Where the renders lie and how they are taken over."""

    root: str
    """folder of one Replica scene"""
    sequence: str
    """folder of one camera path in it, such as Sequence_1"""
    hfov_deg: float = Field(gt=0, lt=180)
    """horizontal field of view"""
    frame_step: int = Field(ge=1)
    """every n-th image by number, from the first"""
    test_every: int = Field(ge=2)
    """of those, 0, n, 2n ... are held out"""
    n_points: int = Field(ge=1)
    """initial points, spread evenly over the training views"""
    point_noise_m: float = Field(ge=0)
    """standard deviation of their positions: structure from motion is not perfect either"""
    points_seed: int = Field(ge=0)
    """of their choice and noise"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width"""
    sweep: Sweep | None
    """how initial points come from the views alone; null: from the true depth"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    folder = Path(options.root) / options.sequence
    numbers = _numbers(folder)[:: options.frame_step]
    candidates = [_file(folder, kind, number) for kind in KINDS for number in numbers]
    candidates += [folder / TRAJECTORY, folder / INFO, Path(options.root) / INFO]
    return sorted(path for path in candidates if path.is_file())


def import_scene(
    scene: str, options: Options, out_dir: Path, annotator: Annotator | None = None
) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    Frames keep their native number ("rgb_12").  ``semantics.json`` lists the classes that training
    views show, and the scene's ``objects`` where ``info_semantic.json`` has them; what held-out
    views alone show becomes void.  ``annotator`` may label views.  Raises a one-line
    `SemsplatError` and leaves nothing for missing or unreadable files, poses that do not match
    the images and labels without a name.
    """
    folder = Path(options.root) / options.sequence
    info_path, names, objects = _read_info(options)
    poses = _read_poses(folder)
    chosen = list(poses)[:: options.frame_step]
    if len(chosen) < 2:
        raise SemsplatError(
            f"{folder}: {len(poses)} images, of which fewer than two are taken; correct 'root' or"
            " 'frame_step'"
        )
    train, test = split_every(chosen, options.test_every)
    noise_m, seed = options.point_noise_m, options.points_seed
    points = starting_points(options.sweep, options.n_points, len(train), noise_m, seed)
    occurring = _occurring(folder, train, names, info_path, options.max_width_px)
    with options.writer(scene, out_dir) as writer:
        for place, number in enumerate(sorted(train + test)):
            image, K, depth, ids = _read_view(folder, number, options)
            viewmat = rigid_inverse(poses[number])
            split: Split = "test" if number in test else "train"
            _named_ids(ids["labels"], names, number, info_path)
            ids["labels"] = without_others(ids["labels"], occurring)
            labelled = annotator(place, ids, objects) if annotator else None
            writer.add_frame(
                f"rgb_{number}", image, viewmat, K, split,
                depth=depth, annotations=labelled, **ids,
            )  # fmt: skip
            if split == "train":
                points.add(depth, image, viewmat, K)
        writer.set_points(*points.noisy())
        if not options.sweep:
            writer.grant(POINTS_OF_DEPTH)
        classes = [{"id": key, "name": names[key]} for key in sorted(occurring)]
        writer.set_semantics({"classes": classes, **({"objects": objects} if objects else {})})
        writer.grant(CLASSES_OF_LABELS)


def _read_view(
    folder: Path, number: int, options: Options
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float32], Ids]:
    """Return one view at the size it is stored in, at most ``options.max_width_px`` wide.

    Image [H, W, 3], K [3, 3] px, depth [H, W] metres (0 = unknown), ids.
    """
    native = image_size(_file(folder, "rgb", number))
    size = downscaled_size(native, options.max_width_px)
    millimetres = read_ids(_file(folder, "depth", number), native)
    ids = {
        ours: resize_ids(read_ids(path, native), size)
        for kind, ours in ID_KINDS.items()
        if (path := _file(folder, kind, number)).is_file() or ours == "labels"
    }
    image = resize_rgb(read_rgb(_file(folder, "rgb", number), native), size)
    K = scale_intrinsics(_native_intrinsics(native, options.hfov_deg), native, size)
    depth = resize_ids((millimetres * MILLIMETRE_M).astype(np.float32), size)
    return image, K, depth, ids


def _native_intrinsics(size: Size, hfov_deg: float) -> NDArray[np.float64]:
    """Return K [3, 3] px: square pixels, principal point in the middle.

    Semantic-NeRF writes cx = (W - 1) / 2 for the same camera: its pixel centres are integers.
    """
    width, height = size
    focal = width / 2 / np.tan(np.radians(hfov_deg) / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def _read_poses(folder: Path) -> dict[int, NDArray[np.float64]]:
    """Return {image number: camera-to-world [4, 4], OpenCV axes}, by number."""
    path = folder / TRAJECTORY
    numbers = _numbers(folder)
    if not numbers:
        raise SemsplatError(f"{folder / 'rgb'}: no rgb_N.png; correct 'root' and 'sequence'")
    rows = read_table(path)
    if rows.shape != (len(numbers), 16):
        raise SemsplatError(
            f"{path}: {rows.shape[0]} lines of {rows.shape[1]} numbers for {len(numbers)} images; "
            "it needs one line of 16 per image of rgb/"
        )
    poses = dict(zip(numbers, rows.reshape(-1, 4, 4), strict=True))
    for number, pose in poses.items():
        check_rigid(pose, f"{path}: image rgb_{number}")
    return poses


def _read_info(options: Options) -> tuple[Path, dict[int, str], list[dict[str, Any]]]:
    """Return (path, {class id: name}, objects) of ``info_semantic.json``, which may list none.

    The sequence's file wins over the scene's.
    """
    root = Path(options.root)
    path = root / options.sequence / INFO
    path = path if path.is_file() else root / INFO
    info = read_json(path)
    try:
        names = {int(entry["id"]): str(entry["name"]) for entry in info["classes"]}
    except (KeyError, TypeError, ValueError):
        raise SemsplatError(f'{path}: needs "classes": [{{"id": 1, "name": "floor"}}]') from None
    return path, names, info.get("objects", [])


def _occurring(
    folder: Path,
    numbers: Iterable[int],
    names: dict[int, str],
    info_path: Path,
    max_width_px: int | None,
) -> set[int]:
    """Return the classes in the label maps of these images, as they are stored."""
    occurring: set[int] = set()
    for number in numbers:
        path = _file(folder, "semantic_class", number)
        native = image_size(_file(folder, "rgb", number))
        labels = resize_ids(read_ids(path, native), downscaled_size(native, max_width_px))
        occurring |= _named_ids(labels, names, number, info_path)
    return occurring


def _named_ids(
    labels: NDArray[np.int32], names: dict[int, str], number: int, info_path: Path
) -> set[int]:
    """Return the class ids in ``labels``; raise at one that has no name."""
    ids = set(np.unique(labels).tolist()) - {0}
    unnamed = ids - set(names)
    if unnamed:
        raise SemsplatError(
            f"{info_path}: no class {min(unnamed)}, which semantic_class_{number}.png contains"
        )
    return ids


def _numbers(folder: Path) -> list[int]:
    """Return the N of every ``rgb/rgb_N.png``, sorted as numbers."""
    stems = [path.stem.removeprefix("rgb_") for path in (folder / "rgb").glob("rgb_*.png")]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def _file(folder: Path, kind: str, number: int) -> Path:
    """Return e.g. ``depth/depth_12.png``."""
    return folder / kind / f"{kind}_{number}.png"
