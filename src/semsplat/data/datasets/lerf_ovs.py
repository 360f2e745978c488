"""LERF-OVS: four scenes of LERF as LangSplat released them, with its labels of some pictures.

The release has ``<scene>/images/``, ``<scene>/sparse/0/`` (the model of undistorted images) and
``label/<scene>/frame_00041.json`` beside a copy of the picture.  Frames were dropped before COLMAP
ran, so that numbers and places in the order of names differ: frame 180 of teatime is its 177th
image.  Published evaluators take the number less one for the place; names are matched here.
"""

from __future__ import annotations

from pathlib import Path

from semsplat.data.colmap_model import Photographs, model_files
from semsplat.data.images import image_files
from semsplat.data.labelled_colmap import (
    Release,
    ReleaseOptions,
    check_registered,
    check_release,
    label_files,
    read_labels,
    write_frames,
)

IMAGES, SPARSE = "images", "sparse/0"

RELEASES = {
    "ramen": Release(pairs=(71,), frames=(6, 24, 60, 65, 81, 119, 128), images=131),
    "teatime": Release(pairs=(59,), frames=(2, 25, 43, 107, 129, 140), images=177),
    "waldo_kitchen": Release(pairs=(22,), frames=(53, 66, 89, 140, 154), images=187),
    "figurines": Release(pairs=(56,), frames=(41, 105, 152, 195), images=299),
}
"""By name of the scene.  The pairs are those that GAGS's percentages imply; nobody who published
states the numbers of images, so these are noted and not checked."""


class Options(ReleaseOptions):
    """Where the material lies and how it is taken over."""

    root: str
    """folder of one scene"""
    labels: str
    """folder of its labels: label/{scene} of the release"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root = Path(options.root)
    paths = model_files(root / SPARSE) + image_files(root / IMAGES)
    return sorted(paths + label_files(Path(options.labels)))


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    A scene called as one of the release must have its labels.  Labelled views have annotations
    whether they are held out or not: scores of training views have names of their own.  Images
    without a pose are left out and noted in the manifest; a label of one is refused.  Raises a
    one-line `SemsplatError` and leaves nothing for missing or unreadable files, an empty model,
    sizes that do not agree and other labels than the release has.
    """
    root, folder = Path(options.root), Path(options.labels)
    labels = read_labels(folder)
    known = RELEASES.get(scene)
    if known is not None:
        check_release(folder, labels, known)
    photographs = Photographs(root / SPARSE, root / IMAGES, options.max_width_px)
    check_registered(labels, photographs.paths)
    with options.writer(scene, out_dir) as writer:
        write_frames(writer, photographs, labels, held_out=options.held_out)
        if known is not None:
            writer.note("images", {"found": len(photographs.paths), "expected": known.images})
