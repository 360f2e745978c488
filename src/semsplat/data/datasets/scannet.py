"""ScanNet, one scan as the Python exporter of its SensReader writes it, with 2-D labels.

Below ``<root>/``: ``color/N.jpg`` (1296x968), ``depth/N.png`` (640x480, 16-bit millimetres),
``pose/N.txt`` (camera-to-world, OpenCV axes, metres), ``intrinsic/intrinsic_color.txt`` and
``intrinsic_depth.txt`` (4x4), all of the sensor's own resolution, and ``label-filt/N.png``, which
``<scan>_2d-label-filt.zip`` holds: raw ids of the size of the colours.  Where it lies there too,
``<scan>_vh_clean_2.labels.ply``: the vertices of the mesh, in the coordinates of the poses, each
with its NYU40 id, which become the scene's labelled points.

Poses of frames at which tracking was lost have infinite entries.  Intrinsics count pixel centres as
integers: those of depth have their principal point at (319.5, 239.5).  Depth and colour share a
pose, but not a field of view, so that depth is looked up through both intrinsics.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from semsplat.conventions import NO_ID
from semsplat.data.depth import InitialPoints
from semsplat.data.images import MAX_ID, Size, read_ids, read_rgb, resize_ids, resize_rgb
from semsplat.data.labelled_points import CLASS_LISTS, PointsWriter, read_labelled
from semsplat.data.poses import rigid_inverse
from semsplat.data.privileges import CLASSES_OF_LABELS, POINTS_OF_DEPTH, without_others
from semsplat.data.scannet_points import asked_lists, entries, vertices_of
from semsplat.data.scannet_sensor import (
    INTRINSICS,
    SUFFIXES,
    Camera,
    image_numbers,
    read_camera,
    read_pose,
    sensor_file,
)
from semsplat.data.scene import Split, split_every
from semsplat.data.scene_writer import Origin
from semsplat.errors import SemsplatError
from semsplat.io import read_lines
from semsplat.params.base import Count, Pixels

MILLIMETRE_M = 0.001
RAW, CLASS, NAME = "id", "nyu40id", "nyu40class"  # columns of the table of labels


class Options(Origin):
    """Where the scan lies and how it is taken over."""

    root: str
    """folder of one scan"""
    label_table: str
    """scannetv2-labels.combined.tsv"""
    n_frames: int | None = Field(ge=2)
    """so many of the images that have a pose, spread evenly from the first to the last, or all of
    them where there are fewer; null: frame_step says which"""
    frame_step: int | None = Field(ge=1)
    """every n-th of the images that have a pose, from the first; null: n_frames says which"""
    test_every: int = Field(ge=2)
    """of those, 0, n, 2n ... are held out"""
    width_px: Pixels
    """images are shrunk to this width"""
    height_px: Pixels
    """and this height, whatever their proportions: CLIP-GS has 640x480 of 1296x968"""
    n_points: Count
    """initial points, spread evenly over the training views"""
    point_noise_m: float = Field(ge=0)
    """standard deviation of their positions"""
    points_seed: int = Field(ge=0)
    """of their choice and noise"""

    @model_validator(mode="after")
    def _one_choice(self) -> Options:
        """Refuse both ways to choose images, and none."""
        if (self.n_frames is None) == (self.frame_step is None):
            raise ValueError("give one of 'n_frames' and 'frame_step', and null for the other")
        return self


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root = Path(options.root)
    posed, lost = image_numbers(root)
    paths = [sensor_file(root, "pose", number) for number in posed + lost]
    paths += [sensor_file(root, kind, n) for kind in SUFFIXES for n in _chosen(posed, options)]
    paths += [root / name for name in INTRINSICS.values()] + [Path(options.label_table)]
    paths += vertices_of(root)
    return sorted({path for path in paths if path.is_file()})


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    Frames keep their native number ("1200"); labels become NYU40's, and ``semantics.json`` lists
    the classes that training views show; others become void, but for the labelled points, which
    have all.  Images without a pose are left out and counted in the manifest.  Raises a one-line
    `SemsplatError` and leaves nothing for missing or unreadable files, sizes that do not agree,
    intrinsics of other images and raw labels that the table does not list.
    """
    root = Path(options.root)
    posed, lost = image_numbers(root)
    numbers = _chosen(posed, options)
    if len(numbers) < 2:
        raise SemsplatError(
            f"{root / 'color'}: {len(posed)} images N.jpg with a pose, of which fewer than two are"
            " taken; correct 'root' or 'frame_step'"
        )
    camera = read_camera(root, numbers[0], (options.width_px, options.height_px))
    table = _read_label_table(Path(options.label_table))
    train, test = split_every(numbers, options.test_every)
    points = InitialPoints(options.n_points, len(train), options.point_noise_m, options.points_seed)
    occurring = {
        int(label)
        for number in train
        for label in np.unique(_read_labels(root, number, camera, table))
    } - {0}
    origin = {"source": options.source, "licence": options.licence}
    with PointsWriter(out_dir, dataset=out_dir.parent.name, scene=scene, **origin) as writer:
        for number in numbers:
            viewmat = rigid_inverse(read_pose(sensor_file(root, "pose", number)))
            image, depth, labels = _read_view(root, number, camera, table)
            labels = without_others(labels, occurring)
            split: Split = "test" if number in test else "train"
            writer.add_frame(
                str(number), image, viewmat, camera.K, split, depth=depth, labels=labels
            )  # fmt: skip
            if split == "train":
                points.add(depth, image, viewmat, camera.K)
        writer.set_points(*points.noisy())
        lists = {}
        for vertices in vertices_of(root):
            writer.set_labelled_points(read_labelled(vertices))
            lists = {CLASS_LISTS: asked_lists()}
        classes = entries({key: table.names[key] for key in sorted(occurring)})
        writer.set_semantics({"classes": classes, **lists})
        writer.grant(POINTS_OF_DEPTH)
        writer.grant(CLASSES_OF_LABELS)
        writer.note("images", {"with_pose": len(posed), "without_pose": len(lost)})


def _read_view(
    root: Path, number: int, camera: Camera, table: LabelTable
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
    """Return one view at the size it is stored in.

    Image [h, w, 3], depth [h, w] metres (0 = unknown), NYU40 ids [h, w] (0 = void).
    """
    image = read_rgb(sensor_file(root, "color", number), camera.native)
    millimetres = read_ids(sensor_file(root, "depth", number), camera.depth_size)
    depth = camera.depth((millimetres * MILLIMETRE_M).astype(np.float32))
    return resize_rgb(image, camera.size), depth, _read_labels(root, number, camera, table)


def _read_labels(root: Path, number: int, camera: Camera, table: LabelTable) -> NDArray[np.int32]:
    """Return a view's NYU40 ids [h, w]."""
    labels = table.read(sensor_file(root, "label-filt", number), camera.native)
    return resize_ids(labels, camera.size)


def _chosen(posed: list[int], options: Options) -> list[int]:
    """Return the numbers of the images to take, sorted."""
    if options.n_frames is None:
        return posed[:: options.frame_step]
    n_frames = min(options.n_frames, len(posed))
    places = np.linspace(0, len(posed) - 1, n_frames).round().astype(int)
    return [posed[place] for place in places]


@dataclass(frozen=True, eq=False)
class LabelTable:
    """What ``scannetv2-labels.combined.tsv`` says."""

    path: Path
    classes: NDArray[np.int32]  # [65536] NYU40 id of every raw id, 0 = void, -1 = not listed
    names: dict[int, str]  # of the NYU40 ids, as the table spells them

    def read(self, path: Path, size: Size) -> NDArray[np.int32]:
        """Return a picture of raw ids as NYU40 ids int32 [H, W], 0 = void.

        Raises a `SemsplatError` when it is unreadable, of another size, or has an id that the
        table does not list: taken as void it would drop out of the scores unnoticed.
        """
        raw = read_ids(path, size)
        ids = self.classes[raw]
        if (ids == NO_ID).any():
            raise SemsplatError(
                f"{path}: raw label {raw[ids == NO_ID].min()} is not in {self.path.name};"
                " use the table of the release or add a line"
            )
        return ids


def _read_label_table(path: Path) -> LabelTable:
    """Return the table; raise a `SemsplatError` when it is missing, broken or names a class twice.

    Raw label 0 is no label, and rows without a NYU40 id are void too.  Three raw ids of the release
    stand in two rows with different NYU40 ids; as in ScanNet's own scripts the last row counts.
    """
    classes = np.full(MAX_ID + 1, NO_ID, np.int32)
    classes[0] = 0
    names: dict[int, str] = {}
    for number, row in enumerate(_table_rows(path), start=2):
        try:
            raw, label = int(row[RAW]), int(row[CLASS] or 0)
            earlier = names.get(label, row[NAME])
            classes[raw]
        except (TypeError, ValueError, IndexError):
            raise SemsplatError(
                f"{path}: line {number}: '{RAW}' and '{CLASS}' must be ids"
            ) from None
        if label and earlier != row[NAME]:
            raise SemsplatError(
                f"{path}: line {number} calls class {label} '{row[NAME]}', an earlier one"
                f" '{earlier}'; remove one"
            )
        classes[raw] = label
        if label:
            names[label] = row[NAME]
    return LabelTable(path, classes, names)


def _table_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows by column; raise where a column is missing."""
    lines = read_lines(path, "it comes with ScanNet's labels")
    # Inches are written " in names of things, so that this sign quotes nothing.
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = {RAW, CLASS, NAME} - set(reader.fieldnames or ())
    if missing:
        raise SemsplatError(
            f"{path}: no column '{min(missing)}'; use scannetv2-labels.combined.tsv, not the first"
            " version's table"
        )
    return list(reader)
