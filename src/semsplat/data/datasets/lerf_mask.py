"""LERF-Mask, which Gaussian Grouping published: photographs, their COLMAP model, masks by prompt.

Below ``<root>/``: ``images/``, ``sparse/0/`` (the model), ``images_train/`` (of which only the
names are read: they are the training set) and ``test_mask/{view}/{prompt}.png``.

The released ``test_mask`` numbers its views: folder 1 is the second image by name that is not in
``images_train``, as Gaussian Grouping's render_lerf_mask.py counts them.  Folders called as an
image are taken for that one; the manifest says which image each folder was matched to.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from semsplat.data.colmap_model import Photographs, model_files
from semsplat.data.images import image_files
from semsplat.data.mask_folders import mask_files
from semsplat.data.native_masks import NativeMasks, labelled_folders
from semsplat.data.scene_writer import Origin
from semsplat.errors import SemsplatError

IMAGES, TRAIN, SPARSE, MASKS = "images", "images_train", "sparse/0", "test_mask"


class Options(Origin):
    """Where the material lies and how it is taken over."""

    root: str
    """folder of one scene"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width, and masks with them"""


def sources(options: Options) -> list[Path]:
    """Return the files the import reads, sorted; a missing folder adds none."""
    root = Path(options.root)
    paths = model_files(root / SPARSE) + sorted((root / MASKS).glob("*/*.png"))
    return sorted(paths + image_files(root / IMAGES) + image_files(root / TRAIN))


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the canonical scene to ``out_dir``, which ends in ``{dataset}/{scene}``.

    As in Gaussian Grouping all registered images that are not in ``images_train`` are held out,
    labelled or not: teatime's second test view has no masks, and its colours can be scored all the
    same.  A labelled view in ``images_train`` is trained on, as the data say, and keeps its masks:
    it is scored with the training views, and the manifest notes it.  So are masks without a pixel,
    which are left out, and images without a pose.  Raises a one-line `SemsplatError` and leaves
    nothing for missing or unreadable files, an empty model, sizes that do not agree, and folders
    of masks that belong to no image.
    """
    root = Path(options.root)
    photographs = Photographs(root / SPARSE, root / IMAGES, options.max_width_px)
    files = [path.relative_to(root / TRAIN) for path in image_files(root / TRAIN)]
    train = {path.with_suffix("").as_posix() for path in files}
    if not train:
        raise SemsplatError(f"{root / TRAIN}: no image; its names are the training set")
    labelled = _labelled(root / MASKS, list(photographs.paths), train)
    masks = NativeMasks({name: mask_files(folder) for name, folder in labelled.items()})
    with options.writer(scene, out_dir) as writer:
        photographs.write(
            writer,
            photographs.paths.keys() - train,
            lambda name, _, plan: {"annotations": masks.read(name, plan)},
        )
        writer.note("masks_of", {folder.name: name for name, folder in labelled.items()})
        writer.note("labelled_and_trained_on", sorted(train & set(labelled)))
        writer.note("empty_masks", masks.empty)


def _labelled(folder: Path, names: list[str], train: set[str]) -> dict[str, Path]:
    """Return {frame name: its folder of masks}; raise at a folder that belongs to no frame.

    ``names`` are those of the registered images, sorted.
    """
    held_out = [name for name in names if name not in train]
    folders: dict[str, Path] = {}
    for masks in labelled_folders(folder):
        name = masks.name if masks.name in names else _numbered(masks, held_out)
        if name in folders:
            raise SemsplatError(f"{masks}: the masks of '{name}' are in {folders[name].name} too")
        folders[name] = masks
    return folders


def _numbered(masks: Path, held_out: list[str]) -> str:
    """Return the held-out view that a folder's number stands for."""
    number = int(masks.name) if masks.name.isdecimal() else len(held_out)
    if number >= len(held_out):
        raise SemsplatError(
            f"{masks}: belongs to no registered image, by name or as number among the"
            f" {len(held_out)} that are not in {TRAIN}; rename it as its image"
        )
    return held_out[number]
