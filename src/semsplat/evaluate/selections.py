"""Selections on disk: ``predictions/selections/{frame}.npz`` and ``predictions/grounding.json``.

A grounder G finds for every prompt one pixel in one reference view, whose rendered feature is the
query.  An archive has for every grounder:

- ``{G}.prompts`` text [P]: the prompts asked in this view, without those that are not grounded.
- ``{G}.masks`` bool [P, H, W]: the pixels whose feature is like the query (CGC, Eq. 6).
- ``{G}.gaussians`` bool [P, H, W]: the pixels of which more than half are Gaussians like the query.
- ``{G}.scene_prompts`` text [S]: all grounded prompts of the scene.
- ``{G}.classes`` int16 [H, W]: the most similar of them, -1 where nothing is drawn.

The grounding is {G: {prompt: {"view": name, "pixel": [x, y]} or {"missing": reason}}}.

Methods that answer a mask with masks, and know no feature of a click, write the first two arrays
alone; their pixel is the most interior one of the mask by which was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame, Scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.boundary import Mask
from semsplat.io import read_json
from semsplat.paths import GROUNDING, SELECTIONS
from semsplat.verified import verified

MASK_ARRAYS = ("prompts", "masks")
ARRAYS = (*MASK_ARRAYS, "gaussians", "scene_prompts", "classes")
References = dict[str, dict[str, str]]
"""{grounder: {prompt: its reference view}}, without prompts that are not grounded."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What the prompts of one grounder select in one view."""

    masks: dict[str, Mask]  # {prompt: [H, W]}, by pixels
    gaussians: dict[str, Mask]  # {prompt: [H, W]}, by Gaussians; the same prompts
    scene_prompts: list[str]
    classes: NDArray[np.int16]  # [H, W] rows of scene_prompts, -1 for none


class Clicked(BaseModel):
    """Where a prompt was asked."""

    model_config = ConfigDict(extra="forbid")
    view: str
    pixel: tuple[int, int]


class _Missed(BaseModel):
    """Why a prompt could not be asked."""

    model_config = ConfigDict(extra="forbid")
    missing: str


_GROUNDING = TypeAdapter(dict[str, dict[str, Clicked | _Missed]])


def read_places(predictions_dir: Path, scene: Scene) -> dict[str, dict[str, Clicked]]:
    """Return {grounder: {prompt: where it was asked}}, without prompts that are not grounded.

    Raises a one-line `SemsplatError` for a file that is missing or broken, names no grounder, or
    names a view that the scene has not.
    """
    path = predictions_dir / GROUNDING
    places = {
        grounder: {p: entry for p, entry in entries.items() if isinstance(entry, Clicked)}
        for grounder, entries in _read_grounding(path).items()
    }
    if not places:
        raise SemsplatError(f"{path}: names no grounder; predict again")
    views = {clicked.view for prompts in places.values() for clicked in prompts.values()}
    if unknown := sorted(views - {frame.name for frame in scene.frames}):
        raise SemsplatError(f"{path}: the scene has no view '{unknown[0]}'; predict again")
    return places


def extracted_name(prompts: Iterable[str], prompt: str) -> str:
    """Return the picture of what a prompt cuts out, below ``extracted/{grounder}/``.

    Prompts need not be names of files: they are numbered in alphabetical order.
    """
    return f"{sorted(prompts).index(prompt)}.png"


def read_references(predictions_dir: Path, scene: Scene) -> References:
    """Return which view each grounder asked for each prompt that it could ground.

    Raises what `read_places` raises.
    """
    return {
        grounder: {prompt: clicked.view for prompt, clicked in prompts.items()}
        for grounder, prompts in read_places(predictions_dir, scene).items()
    }


def _read_grounding(path: Path) -> dict[str, dict[str, Clicked | _Missed]]:
    """Return the parsed file."""
    try:
        return _GROUNDING.validate_python(read_json(verified(path)))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"][:2])) or "the file"
        raise SemsplatError(
            f"{path}: {place}: needs a view and a pixel [x, y], or what is missing; predict again"
        ) from None


def read_selections(
    predictions_dir: Path, frame: Frame, references: References
) -> dict[str, Selection]:
    """Return {grounder: selection} of one view; selections of nothing where there is no file.

    Raises a one-line `SemsplatError` for an unreadable file, other grounders than the grounding
    names, arrays of another size or kind, and prompts that stand twice or are not grounded.
    """
    path = predictions_dir / SELECTIONS / f"{frame.name}.npz"
    if not path.is_file():
        nothing = np.full((frame.height, frame.width), -1, np.int16)
        return {grounder: Selection({}, {}, [], nothing) for grounder in references}
    arrays = read_arrays(path)
    _check_names(path, arrays, references, ARRAYS)
    return {
        grounder: _selection(
            f"{path}: {grounder}",
            {name: arrays[f"{grounder}.{name}"] for name in ARRAYS},
            frame,
            grounded,
        )
        for grounder, grounded in references.items()
    }


def read_masks(
    predictions_dir: Path, frame: Frame, references: References
) -> dict[str, dict[str, Mask]]:
    """Return {grounder: {prompt: mask [H, W]}} of one view; none where there is no file.

    It reads the archives of every method that selects.  Raises as `read_selections`.
    """
    path = predictions_dir / SELECTIONS / f"{frame.name}.npz"
    if not path.is_file():
        return {grounder: {} for grounder in references}
    arrays = read_arrays(path)
    clicked = any(name.rpartition(".")[2] not in MASK_ARRAYS for name in arrays)
    _check_names(path, arrays, references, ARRAYS if clicked else MASK_ARRAYS)
    found = {}
    for grounder, grounded in references.items():
        where = f"{path}: {grounder}"
        prompts, masks = (arrays[f"{grounder}.{name}"] for name in MASK_ARRAYS)
        _check_prompts(where, prompts.tolist(), list(grounded), grounded)
        shape = (len(prompts), frame.height, frame.width)
        _check_array(f"{where}.masks", masks, shape, np.bool_)
        found[grounder] = dict(zip(prompts.tolist(), masks, strict=True))
    return found


def _check_names(
    path: Path, arrays: Mapping[str, Any], references: References, names: tuple[str, ...]
) -> None:
    """Raise unless an archive has these arrays for every grounder, and nothing else."""
    expected = {f"{grounder}.{name}" for grounder in references for name in names}
    if wrong := sorted(expected ^ set(arrays)):
        what = "lacks" if wrong[0] in expected else "has unknown"
        raise SemsplatError(f"{path}: {what} '{wrong[0]}' for {GROUNDING}; predict again")


def _selection(
    where: str, arrays: dict[str, NDArray[Any]], frame: Frame, grounded: Mapping[str, str]
) -> Selection:
    """Return one grounder's checked selection."""
    prompts, scene_prompts = arrays["prompts"].tolist(), arrays["scene_prompts"].tolist()
    masks, gaussians, classes = arrays["masks"], arrays["gaussians"], arrays["classes"]
    _check_prompts(where, prompts, scene_prompts, grounded)
    size = (frame.height, frame.width)
    _check_array(f"{where}.masks", masks, (len(prompts), *size), np.bool_)
    _check_array(f"{where}.gaussians", gaussians, (len(prompts), *size), np.bool_)
    _check_array(f"{where}.classes", classes, size, np.int16)
    if not ((classes >= -1) & (classes < len(scene_prompts))).all():
        raise SemsplatError(f"{where}.classes: must be rows of scene_prompts or -1; predict again")
    by_pixels, by_gaussians = (dict(zip(prompts, m, strict=True)) for m in (masks, gaussians))
    return Selection(by_pixels, by_gaussians, scene_prompts, classes)


def _check_prompts(
    where: str, prompts: list[str], scene_prompts: list[str], grounded: Mapping[str, str]
) -> None:
    """Raise unless no prompt stands twice and all are the scene's and have a reference view."""
    if len(set(prompts)) < len(prompts) or len(set(scene_prompts)) < len(scene_prompts):
        raise SemsplatError(f"{where}: a prompt stands twice; predict again")
    for prompt in prompts:
        if prompt not in scene_prompts:
            raise SemsplatError(f"{where}: '{prompt}' is not in scene_prompts; predict again")
    for prompt in scene_prompts:
        if prompt not in grounded:
            raise SemsplatError(f"{where}: {GROUNDING} does not ground '{prompt}'; predict again")


def _check_array(where: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    """Raise unless an array has this shape and dtype."""
    if array.shape != shape or array.dtype != dtype:
        raise SemsplatError(
            f"{where}: {array.dtype} {list(array.shape)}, but the frame and its prompts need"
            f" {np.dtype(dtype)} {list(shape)}; predict again at the frame's size"
        )
