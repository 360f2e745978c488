"""3D-OVS: photographs that face one way, LLFF poses, masks of all classes in some views.

Below ``<root>/``: ``images/NN.(png|jpg)``, ``poses_bounds.npy`` (line i for the i-th image by
name), ``segmentations/classes.txt`` (a class per line) and ``segmentations/NN/{class}.png`` for
every class.  LLFF's file has one focal length, no principal point and no lens: what COLMAP found of
these is lost, so the principal point is the middle and images are taken as undistorted.

Inside a mask is above 128, as for LERF-Mask; 3D-OVS's own code takes 255 only.  Masks of names
that ``classes.txt`` does not list are passed over, as its code does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.data.colmap_model import Rectifier
from semsplat.data.depth import InitialPoints
from semsplat.data.images import (
    Size,
    downscaled_size,
    image_files,
    image_size,
    read_rgb,
    same_shape,
    scale_intrinsics,
)
from semsplat.data.native_masks import NativeMasks, labelled_folders
from semsplat.data.poses import check_rigid, rigid_inverse
from semsplat.data.scene import Split
from semsplat.data.scene_writer import Origin
from semsplat.errors import SemsplatError, readable
from semsplat.io import read_lines
from semsplat.params.base import Count

IMAGES, MASKS, CLASSES = "images", "segmentations", "segmentations/classes.txt"
POSES = "poses_bounds.npy"
COLUMNS = 17  # 3 x 5 numbers row by row, then the nearest and the farthest depth


class Options(Origin):
    """Where the material lies and how it is taken over."""

    root: str
    """folder of one scene"""
    held_out: bool
    """false: labelled views are trained on, as published, and none is left whose colours could be
    scored; true: they are held out"""
    n_points: Count
    """initial points: the layout has none, so these are random pixels of the training views, each
    at a random depth between the view's bounds, evenly in inverse depth"""
    points_seed: int = Field(ge=0)
    """of their choice"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width, and masks with them"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root = Path(options.root)
    single = [path for path in (root / POSES, root / CLASSES) if path.is_file()]
    return sorted([*single, *image_files(root / IMAGES), *(root / MASKS).glob("*/*.png")])


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    Labelled views have annotations whether they are held out or not: scores of training views have
    names of their own.  Masks without a pixel are left out and noted in the manifest.  Raises a
    one-line `SemsplatError` and leaves nothing for missing or unreadable files, poses that do not
    fit the images, classes without a mask and masks that belong to no image.
    """
    root = Path(options.root)
    paths = image_files(root / IMAGES)
    poses = _read_llff(root / POSES, [path.stem for path in paths])
    labelled = _labelled(root / MASKS, _classes(root / CLASSES), list(poses))
    masks = NativeMasks(labelled)
    test = set(labelled) if options.held_out else set()
    if len(test) == len(poses):
        raise SemsplatError(f"{root / MASKS}: all views are labelled; set 'held_out' to false")
    points = InitialPoints(options.n_points, len(poses) - len(test), 0.0, options.points_seed)
    rng = np.random.default_rng([options.points_seed, 1])  # not the stream that chooses pixels
    with options.writer(scene, out_dir) as writer:
        for path, (name, view) in zip(paths, poses.items(), strict=True):
            plan = _plan(path, view, options.max_width_px)
            image = plan.image(read_rgb(path, plan.source_size))
            split: Split = "test" if name in test else "train"
            annotations = masks.read(name, plan)
            writer.add_frame(name, image, view.viewmat, plan.K, split, annotations=annotations)
            if split == "train":
                points.add(view.random_depth(plan.size, rng), image, view.viewmat, plan.K)
        writer.set_points(*points.noisy())
        writer.note("empty_masks", masks.empty)


@dataclass(frozen=True, eq=False)
class _View:
    """One camera."""

    viewmat: NDArray[np.float64]  # [4, 4] world-to-camera, OpenCV axes
    K: NDArray[np.float64]  # [3, 3] px, of an image of ``size``
    size: Size  # of the original image
    near: float  # smallest and
    far: float  # largest depth of what COLMAP saw in this view, world units

    def random_depth(self, size: Size, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a depth [h, w] between the bounds for every pixel, even in inverse depth.

        Steps of inverse depth are steps of parallax, so that the points are as dense as views can
        tell them apart; NeRF samples captures of this kind in the same way.
        """
        inverse = rng.uniform(1 / self.far, 1 / self.near, size[::-1])
        return (1 / inverse).astype(np.float32)


def _read_llff(path: Path, names: list[str]) -> dict[str, _View]:
    """Return {name: camera} for the images of these ``names``, in the order of the file's lines.

    Raises a one-line `SemsplatError` when the file is missing, has not one line of 17 numbers per
    image, or has poses, sizes or bounds that cannot be.
    """
    with readable(path, "a NumPy array", "replace it"):
        rows = np.load(path, allow_pickle=False)
    if not isinstance(rows, np.ndarray) or rows.shape != (len(names), COLUMNS):
        shape = "x".join(map(str, getattr(rows, "shape", ())))
        raise SemsplatError(
            f"{path}: {shape} numbers; it needs a line of {COLUMNS} for each of the"
            f" {len(names)} images"
        )
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise SemsplatError(f"{path.parent}: two images are named '{double}'; remove one")
    lines = zip(names, rows.astype(np.float64), strict=True)
    return {name: _camera(row, f"{path}: image '{name}'") for name, row in lines}


def _camera(
    row: NDArray[np.float64],  # [17]
    where: str,
) -> _View:
    """Return the camera of one line; raise a `SemsplatError` that starts with ``where``."""
    matrix, (near, far) = row[:15].reshape(3, 5), row[15:].tolist()
    height, width, focal = matrix[:, 4].tolist()
    if not (np.isfinite(row).all() and min(height, width, focal) > 0):
        raise SemsplatError(
            f"{where}: all numbers must be finite, size and focal length above 0; remove the image"
        )
    if not 0 < near < far < np.inf:
        raise SemsplatError(f"{where}: bounds {near:g} and {far:g}; they must be 0 < near < far")
    down, right, back, position = matrix[:, :4].T
    c2w = np.eye(4)
    c2w[:3] = np.stack([right, down, -back, position], axis=1)
    check_rigid(c2w, where)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return _View(rigid_inverse(c2w), K, (round(width), round(height)), near, far)


def _plan(path: Path, view: _View, max_width_px: int | None) -> Rectifier:
    """Return how an image is shrunk; raise unless it has the proportions of the poses file."""
    size = image_size(path)
    if not same_shape(size, view.size):
        raise SemsplatError(
            f"{path}: image of {size[0]}x{size[1]} pixels does not fit {POSES}, which is about"
            f" {view.size[0]}x{view.size[1]}; use the images the poses were made from"
        )
    shrunk = downscaled_size(size, max_width_px)
    return Rectifier(size, scale_intrinsics(view.K, view.size, shrunk), shrunk, lookup=None)


def _classes(path: Path) -> list[str]:
    """Return the classes, one per line that is not blank."""
    names = [line.strip() for line in read_lines(path, "it lists the classes")]
    if not any(names):
        raise SemsplatError(f"{path}: no class; write one per line")
    return [name for name in names if name]


def _labelled(folder: Path, classes: list[str], names: list[str]) -> dict[str, list[Path]]:
    """Return {frame name: a mask per class}; raise where a mask or its image is missing."""
    paths = {}
    for masks in labelled_folders(folder):
        if masks.name not in names:
            raise SemsplatError(f"{masks}: no image is named '{masks.name}'; rename the folder")
        paths[masks.name] = [masks / f"{name}.png" for name in classes]
        for path in paths[masks.name]:
            if not path.is_file():
                raise SemsplatError(f"{path}: no such file, though classes.txt lists this class")
    return paths
