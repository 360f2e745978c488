"""Masks: ``masks/{grounder}/{view}/{prompt}.png`` of every prompt that a labelled view shows.

8-bit grey, above 128 is inside; what is not found is all black.  The grounder is the one under
whose name our own masks are scored that were found in the same way, such as ``grounding_dino`` for
a box of that network.  A prompt's reference view is the first that shows it, by the rule of our own
predictions; its click is the most interior pixel of its mask there.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.images import write_png
from semsplat.data.mask_folders import read_mask
from semsplat.data.scene import Frame, Scene
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.grounders import askable_names
from semsplat.evaluate.grounding import interior
from semsplat.evaluate.named_objects import Truth
from semsplat.io import write_json
from semsplat.paths import GROUNDING, SELECTIONS

SUFFIXES = (".png",)
Masks = dict[str, dict[str, Mask]]
"""{grounder: {prompt: bool [H, W]}}"""


def view_of(path: PurePosixPath) -> str:
    """Return the view of a file: the folders between grounder and prompt."""
    return "/".join(path.parts[1:-1])


def views(scene: Scene) -> list[Frame]:
    """Return the views that show anything by name."""
    return [frame for frame in scene.frames if frame.name in shown(scene)]


@lru_cache(maxsize=4)
def shown(scene: Scene) -> dict[str, list[str]]:
    """Return the prompts of every view that shows any, held-out views first.

    Of held-out views also the single objects that scenes without such annotations have.
    """
    truth, prompts = Truth(scene), {}
    for frame in scene.test:
        prompts[frame.name] = list(truth.masks(frame)) if truth.has(frame) else []
    for frame in (*scene.test, *scene.train):
        named = load_annotations(frame) if frame.annotations_path else {}
        prompts[frame.name] = list(dict.fromkeys([*prompts.get(frame.name, ()), *named]))
    return {view: asked for view, asked in prompts.items() if asked}


def read(paths: list[Path], frame: Frame, scene: Scene) -> Masks:
    """Return every grounder's masks of a view's prompts; a view needs all grounders."""
    depth = len(PurePosixPath(frame.name).parts)
    answer, asked = paths[0].parents[depth + 1], shown(scene)[frame.name]
    found: Masks = {g.name: {} for g in sorted(answer.iterdir()) if not g.name.startswith(".")}
    for path in paths:
        found[path.parents[depth].name][path.stem] = _mask(path, frame)
    for grounder, masks in found.items():
        where = f"{answer / grounder / frame.name}"
        if grounder not in (known := askable_names()):
            hint = did_you_mean(grounder, known) or f"; known: {', '.join(known)}"
            raise SemsplatError(f"{answer / grounder}: no grounder '{grounder}'{hint}")
        if lacking := [prompt for prompt in asked if prompt not in masks]:
            raise SemsplatError(f"{where}: no mask of '{lacking[0]}'; of nothing it is all black")
        if others := [prompt for prompt in masks if prompt not in asked]:
            hint = did_you_mean(others[0], asked) or "; remove it"
            raise SemsplatError(f"{where}: the view is not asked for '{others[0]}'{hint}")
    return {grounder: {p: masks[p] for p in asked} for grounder, masks in found.items()}


def _mask(path: Path, frame: Frame) -> Mask:
    mask = read_mask(path)
    if mask.shape != (frame.height, frame.width):
        size = "x".join(map(str, mask.shape[::-1]))
        raise SemsplatError(f"{path}: {size} pixels, expected {frame.width}x{frame.height}")
    return mask


def write(folder: Path, frame: Frame, said: Masks) -> None:
    """Write ``selections/{frame}.npz`` of prompts and masks."""
    arrays: dict[str, Any] = {}
    for grounder, masks in said.items():
        stacked = np.zeros((len(masks), frame.height, frame.width), bool)
        for row, mask in zip(stacked, masks.values(), strict=True):
            row[...] = mask
        arrays[f"{grounder}.prompts"] = np.array(list(masks), dtype=np.str_)
        arrays[f"{grounder}.masks"] = stacked
    write_arrays(folder / SELECTIONS / f"{frame.name}.npz", arrays)


def finish(folder: Path, scene: Scene) -> None:
    """Write ``grounding.json``: of every prompt its reference view, and a pixel of its mask there.

    The middle of the view stands for the pixel where that mask is empty.  A prompt whose masks are
    empty in all views was not found: it is no longer among what is selected.
    """
    frames = {frame.name: frame for frame in views(scene)}
    places: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for view in shown(scene):
        for grounder, masks in _selected(folder, view).items():
            for prompt, mask in masks.items():
                middle = frames[view].width // 2, frames[view].height // 2
                pixel = list(interior(mask) if mask.any() else middle)
                places.setdefault(grounder, {}).setdefault(prompt, {"view": view, "pixel": pixel})
                seen |= {(grounder, prompt)} if mask.any() else set()
    for grounder, prompts in places.items():
        lost = {p: {"missing": "empty in every view"} for p in prompts if (grounder, p) not in seen}
        places[grounder] |= lost
    for view, frame in frames.items():
        found = _selected(folder, view)
        kept = {g: {p: m for p, m in of.items() if (g, p) in seen} for g, of in found.items()}
        write(folder, frame, kept)
    write_json(folder / GROUNDING, places)


def _selected(folder: Path, view: str) -> Masks:
    """Return what predictions say of a view."""
    arrays = read_arrays(folder / SELECTIONS / f"{view}.npz")
    grounders = [name.removesuffix(".masks") for name in arrays if name.endswith(".masks")]
    return {
        g: dict(zip(arrays[f"{g}.prompts"].tolist(), arrays[f"{g}.masks"], strict=True))
        for g in grounders
    }


def give(predictions_dir: Path, frame: Frame, scene: Scene, folder: Path) -> None:
    """Write a view's masks; of a prompt that was not grounded an empty one."""
    nothing = np.zeros((frame.height, frame.width), bool)
    for grounder, found in _selected(predictions_dir, frame.name).items():
        for prompt in shown(scene)[frame.name]:
            if "/" in prompt:
                raise SemsplatError(f"prompt '{prompt}' cannot be a file name; rename it")
            path = folder / "masks" / grounder / frame.name / f"{prompt}.png"
            write_png(path, found.get(prompt, nothing).astype(np.uint8) * 255)
