"""Annotations as masks: a folder per frame with one picture per prompt, as LERF-Mask has them.

``annotations/{frame}/{prompt}.png``: 8-bit grey of the frame's size, above 128 is inside.  Unlike
polygons such masks keep holes and exact outlines, but do not tell objects of one prompt apart.
Hidden files and files that are no PNG are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import Size, read_grey, write_png
from semsplat.errors import SemsplatError

Mask = NDArray[np.bool_]

INSIDE_ABOVE = 128  # Gaussian Grouping, script/eval_lerf_mask.py


def mask_files(folder: Path) -> list[Path]:
    """Return the PNGs of a folder, by name; raise a `SemsplatError` when there is none."""
    files = sorted(path for path in folder.glob("*.png") if not path.name.startswith("."))
    if not files:
        raise SemsplatError(f"{folder}: no PNG in the folder; add a mask per prompt or remove it")
    return files


def read_mask(path: Path) -> Mask:
    """Return one mask [H, W] of any size; it may be empty.

    Raises a `SemsplatError` when the file is unreadable, and for masks written as 0 and 1, which
    would all be empty.
    """
    pixels = read_grey(path)
    mask = pixels > INSIDE_ABOVE
    if pixels.any() and not mask.any():
        raise SemsplatError(
            f"{path}: values up to {pixels.max()}, but inside is above {INSIDE_ABOVE};"
            " write the mask as 0 and 255"
        )
    return mask


def read_masks(folder: Path, size: Size) -> dict[str, Mask]:
    """Return {prompt: mask [H, W]} of a frame of ``size``, by name.

    Raises a one-line `SemsplatError` when the folder has no PNG, or one is unreadable, empty or of
    another size.
    """
    masks = {path.stem: read_mask(path) for path in mask_files(folder)}
    _check(masks, size, str(folder))
    return masks


def write_masks(folder: Path, masks: Mapping[str, Mask], size: Size, where: str) -> None:
    """Write a frame's masks; raise a `SemsplatError` for what cannot be read back.

    Args:
        folder: the frame's; it is created.
        masks: bool [H, W] by prompt, at least one.
        size: (width, height) of the frame.
        where: what the message starts with.
    """
    if not masks:
        raise SemsplatError(f"{where}: no mask; give a prompt with its mask, or no annotations")
    _check(masks, size, where)
    for prompt, mask in masks.items():
        if not prompt or prompt.startswith(".") or any(sign in prompt for sign in "/\\\0"):
            raise SemsplatError(f"{where}: prompt '{prompt}' cannot be a file name; rename it")
        write_png(folder / f"{prompt}.png", mask.astype(np.uint8) * 255)


def _check(masks: Mapping[str, Mask], size: Size, where: str) -> None:
    """Raise at the first mask of another size, or with no pixel inside."""
    for prompt, mask in masks.items():
        if mask.shape != size[::-1]:
            actual = "x".join(map(str, mask.shape[::-1]))
            raise SemsplatError(
                f"{where}: '{prompt}' has {actual} pixels, but the frame has {size[0]}x{size[1]};"
                " scale the masks with the images"
            )
        if not mask.any():
            raise SemsplatError(f"{where}: '{prompt}' has no pixel inside; remove it")
