"""Masks by prompt of a published data set, brought onto the images as they are imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from semsplat.data.colmap_model import Rectifier
from semsplat.data.images import resize_ids, same_shape
from semsplat.data.mask_folders import Mask, read_mask
from semsplat.errors import SemsplatError


class NativeMasks:
    """The masks of all labelled views; ``empty`` collects those in which nothing is to be seen."""

    def __init__(self, files: Mapping[str, Sequence[Path]]) -> None:
        """Prepare; ``files`` are the PNGs by name of the frame, each called as its prompt."""
        self._files = files
        self.empty: list[str] = []  # frame/prompt

    def read(self, name: str, plan: Rectifier) -> dict[str, Mask] | None:
        """Return {prompt: mask [h, w]} of a frame, undistorted and shrunk as its image is.

        A mask of another size than the image is resized to it first, nearest pixel.  Prompts
        without a pixel are left out: the view does not show them.  None where no prompt is left.
        Raises a `SemsplatError` when a file is missing, unreadable or of other proportions.
        """
        shown = {}
        for path in self._files.get(name, ()):
            mask = read_mask(path)
            size = (mask.shape[1], mask.shape[0])
            if not same_shape(size, plan.source_size):
                width, height = plan.source_size
                raise SemsplatError(
                    f"{path}: {size[0]}x{size[1]} pixels are no scaled {width}x{height}, the size"
                    " of the image; make the mask anew from the image"
                )
            ids = resize_ids(mask.astype(np.int32), plan.source_size)
            mask = plan.ids(ids).astype(bool)
            if mask.any():
                shown[path.stem] = mask
            else:
                self.empty.append(f"{name}/{path.stem}")
        return shown or None


def labelled_folders(folder: Path) -> list[Path]:
    """Return the folders of labelled views, by name; raise when there is none."""
    folders = sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise SemsplatError(f"{folder}: no folder of a labelled view; correct 'root'")
    return folders
