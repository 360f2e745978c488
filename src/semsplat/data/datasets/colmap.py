"""Any COLMAP model with its images, and optionally one label PNG per image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from semsplat.data.colmap_model import Photographs, Rectifier, model_files
from semsplat.data.images import image_files, read_ids
from semsplat.data.scene import split_every
from semsplat.data.scene_writer import Origin
from semsplat.errors import SemsplatError
from semsplat.io import read_lines


class Options(Origin):
    """Where the material lies and how it is taken over; paths are relative to ``root``."""

    root: str
    """folder of the material"""
    images: str
    """folder; the names in the model are relative to it"""
    sparse: str
    """folder of the model, binary or text"""
    labels: str | None
    """folder of PNGs at the images' relative paths, ending in .png"""
    classes: str | None
    """text file, one "id name" per line, ids as in the PNGs"""
    void_label: int | None = Field(ge=0)
    """the id in the PNGs that means void; null or 0: it is 0 and ids are kept; any other: 0 is a
    class there, so every id is stored as id + 1 and this one as 0, and the ids of classes move
    along"""
    test_every: int = Field(ge=2)
    """frames 0, n, 2n ... in name order are held out"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width"""

    @model_validator(mode="after")
    def _labels_have_names(self) -> Options:
        """Refuse labels without class names: queries are made of names."""
        if self.labels is not None and self.classes is None:
            raise ValueError("'labels' needs 'classes', the text file that names the ids")
        return self


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root = Path(options.root)
    paths = model_files(root / options.sparse) + image_files(root / options.images)
    if options.labels is not None:
        paths += image_files(root / options.labels)
    if options.classes is not None and (root / options.classes).is_file():
        paths.append(root / options.classes)
    return sorted(paths)


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    Images of SIMPLE_RADIAL, RADIAL and OPENCV cameras are undistorted as COLMAP does it, label
    maps with them.  Images that the model does not register are left out and noted in the
    manifest.  Raises a one-line `SemsplatError` and leaves nothing for unreadable or missing
    files, an empty model, other camera models, sizes that do not agree and unnamed labels.
    """
    root = Path(options.root)
    photographs = Photographs(root / options.sparse, root / options.images, options.max_width_px)
    _, test = split_every(list(photographs.paths), options.test_every)
    classes = _read_classes(root / options.classes) if options.classes is not None else {}
    labels = _LabelMaps(options, classes, photographs.paths)
    with options.writer(scene, out_dir) as writer:
        photographs.write(writer, test, labels.read)
        if classes:
            writer.set_semantics({"classes": labels.stored_classes()})


class _LabelMaps:
    """Label PNGs in the ids of the source, handed out in ours (0 = void)."""

    def __init__(self, options: Options, classes: dict[int, str], names: Iterable[str]) -> None:
        self._classes = classes
        self._void = options.void_label or 0
        self._paths: dict[str, Path] = {}  # of the images that have labels
        if options.labels is None:
            return
        folder = Path(options.root) / options.labels
        paths = {name: folder / f"{name}.png" for name in names}
        self._paths = {name: path for name, path in paths.items() if path.is_file()}
        if not self._paths:
            raise SemsplatError(f"{folder}: no PNG has the stem of a registered image; rename them")

    def read(self, name: str, _: Path, plan: Rectifier) -> dict[str, NDArray[np.int32]]:
        """Return a frame's rectified ``labels`` [h, w], or nothing where it has no PNG."""
        path = self._paths.get(name)
        if path is None:
            return {}
        ids = read_ids(path, plan.source_size)
        unnamed = set(np.unique(ids).tolist()) - set(self._classes) - {self._void}
        if unnamed:
            raise SemsplatError(f"{path}: label {min(unnamed)} is not in the classes file; add it")
        if self._void:  # see ``Options.void_label``
            ids = np.where(ids == self._void, 0, ids + 1)
        return {"labels": plan.ids(ids)}

    def stored_classes(self) -> list[dict[str, int | str]]:
        """Return the classes with the ids that `read` hands out, void left out."""
        shift = 1 if self._void else 0
        return [
            {"id": number + shift, "name": name}
            for number, name in sorted(self._classes.items())
            if number != self._void
        ]


def _read_classes(path: Path) -> dict[int, str]:
    """Return {id: name} of a text file with one "id name" per line; names may have spaces."""
    classes: dict[int, str] = {}
    for number, line in enumerate(read_lines(path, "correct 'classes'"), start=1):
        if not line.strip():
            continue
        key, _, name = line.strip().partition(" ")
        if not key.isdecimal() or not name.strip() or int(key) in classes:
            raise SemsplatError(f"{path}: line {number}: expected a new 'id name', got '{line}'")
        classes[int(key)] = name.strip()
    return classes
