"""Mip-NeRF 360 as 360_v2.zip has it, with the labels that GAGS made for four scenes.

Below ``<root>/``: ``images/`` and copies shrunk by a factor in ``images_2/``, ``images_4/`` and
``images_8/``, all with the same names, and ``sparse/0/``, the model of the full-sized ones.

GAGS's labels are files as in LERF-OVS, ``frame_00012.json`` beside ``frame_00012.jpg``.  The
photographs are called ``DSCF4667.JPG``; GAGS takes the number less one for the place among them.
A label is matched to the image of its name and, where there is none, to the image that its own
picture shows.

GOI labelled the same scenes for other prompts, in ``<prompt>/masks/<image>.png``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.colmap_model import Photographs, model_files
from semsplat.data.images import image_files, image_size, read_rgb, resize_rgb
from semsplat.data.labelled_colmap import (
    LabelFile,
    Release,
    ReleaseOptions,
    check_release,
    label_files,
    n_pairs,
    read_labels,
    write_frames,
)
from semsplat.errors import SemsplatError

SPARSE = "sparse/0"
THUMBNAIL = (32, 24)  # small enough that compression and resizing leave no trace
SAME_LEVELS = 4.0  # a copy is nearer than this, of 255, on average
CLEARLY = 2.0  # the next picture must be farther by this factor

Thumbnail = NDArray[np.float32]

RELEASES = {
    "room": Release(pairs=(29,)),
    "counter": Release(pairs=(37,)),
    "garden": Release(pairs=(21,)),
    "bonsai": Release(pairs=(18, 36)),
}
"""By name of the scene: what the percentages of GAGS's first version imply."""


class Options(ReleaseOptions):
    """Where the material lies and how it is taken over."""

    root: str
    """folder of one scene"""
    images: str
    """folder of the photographs in it: images, images_2, images_4 or images_8"""
    labels: str
    """folder of GAGS's labels of the scene"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root, labels = Path(options.root), label_files(Path(options.labels))
    paths = model_files(root / SPARSE) + image_files(root / options.images) + labels
    pictures = [label.with_suffix(".jpg") for label in labels]
    return sorted(paths + [path for path in pictures if path.is_file()])


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    A scene called as one that GAGS labelled must have as many pairs of a picture and a prompt.
    Polygons and boxes follow the images' scale.  Images without a pose are left out and noted in
    the manifest.  Raises a one-line `SemsplatError` and leaves nothing for missing or unreadable
    files, an empty model, sizes that do not agree, GOI's labels and labels whose image has no pose
    or cannot be told.
    """
    root, folder = Path(options.root), Path(options.labels)
    labels = _read_labels(folder, RELEASES.get(scene))
    photographs = Photographs(root / SPARSE, root / options.images, options.max_width_px)
    labels = _by_image(labels, photographs.paths)
    with options.writer(scene, out_dir) as writer:
        write_frames(writer, photographs, labels, held_out=options.held_out)


def _read_labels(folder: Path, known: Release | None) -> dict[str, LabelFile]:
    """Return GAGS's labels by their own name; raise at GOI's, which would score other prompts.

    GOI's are told by their prompts: these are folders, with underscores for blanks, and keep the
    underscores where somebody turned the masks into polygons.
    """
    foreign = sorted(path.parent.name for path in folder.glob("*/masks"))
    labels = {} if foreign else read_labels(folder)
    if known is not None and n_pairs(labels) not in known.pairs:
        foreign += sorted(p for label in labels.values() for p in label.prompts if "_" in p)
    if foreign:
        raise SemsplatError(
            f"{folder}: prompts such as '{foreign[0]}' are of GOI's labels (MipNeRF360-OV);"
            " this importer wants GAGS's"
        )
    if known is not None:
        check_release(folder, labels, known)
    return labels


def _by_image(labels: Mapping[str, LabelFile], paths: Mapping[str, Path]) -> dict[str, LabelFile]:
    """Return the labels by name of their image: the one called so, else the one they show."""
    shown = any(name not in paths for name in labels)
    thumbnails = {name: _thumbnail(path) for name, path in paths.items()} if shown else {}
    labelled: dict[str, LabelFile] = {}
    for name, label in labels.items():
        image = name if name in paths else _shown(label, thumbnails)
        if image in labelled:
            raise SemsplatError(f"{label.path}: '{image}' has {labelled[image].path.name} already")
        labelled[image] = label
    return labelled


def _shown(label: LabelFile, thumbnails: Mapping[str, Thumbnail]) -> str:
    """Return the name of the image that the label's picture shows; raise where there is none."""
    path = label.path.with_suffix(".jpg")
    if not path.is_file():
        raise SemsplatError(
            f"{label.path}: the model registers no image '{path.stem}', and no {path.name} lies"
            " beside the label to show which one is meant; copy it there"
        )
    return _name_of_copy(path, thumbnails)


def _thumbnail(path: Path) -> Thumbnail:
    """Return the picture at ``THUMBNAIL`` as float32 [24, 32, 3], 0 to 255."""
    return resize_rgb(read_rgb(path, image_size(path)), THUMBNAIL).astype(np.float32)


def _name_of_copy(path: Path, pictures: Mapping[str, Thumbnail]) -> str:
    """Return the name of the one picture that ``path`` shows, perhaps at another scale.

    Raises a `SemsplatError` when none is alike, and when a second one is nearly as much alike.
    """
    copy = _thumbnail(path)
    away = {name: float(np.abs(other - copy).mean()) for name, other in pictures.items()}
    nearest = sorted(away, key=lambda name: (away[name], name))[:2]
    best, *others = nearest
    if away[best] > SAME_LEVELS:
        raise SemsplatError(f"{path}: shows none of the images; use the images that were labelled")
    if others and away[others[0]] <= CLEARLY * away[best]:
        raise SemsplatError(
            f"{path}: shows '{best}' or '{others[0]}'; rename it and its label as the right one"
        )
    return best
