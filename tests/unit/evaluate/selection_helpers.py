"""Selections on the annotated shelf, and the files that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.evaluate.selections import Selection
from semsplat.io import write_json
from tests.unit.evaluate.annotation_helpers import (
    CUP,
    CUP_BOX,
    HANDLE,
    HANDLE_BOX,
    HELD_OUT,
    PLATE,
    PLATE_BOX,
    Box,
    Labels,
    labelled,
)

G = "points"
PROMPTS = [CUP, HANDLE, PLATE]
SHOWN: Labels = {**HELD_OUT, "b": [labelled(PLATE, PLATE_BOX), labelled(CUP, CUP_BOX)]}
"""The cup in both views, 4 x 4 pixels; the handle 2 x 2 in one, the plate 6 x 4 in the other."""
GROUNDING = {
    G: {
        CUP: {"view": "left/a", "pixel": [3, 3]},
        HANDLE: {"view": "left/a", "pixel": [6, 2]},
        PLATE: {"view": "b", "pixel": [10, 7]},
    }
}


def drawn(box: Box) -> np.ndarray:
    mask = np.zeros((12, 16), bool)
    x1, y1, x2, y2 = box
    mask[y1 : y2 + 1, x1 : x2 + 1] = True
    return mask


def selection(boxes: dict[str, Box], scene_prompts: list[str] = PROMPTS) -> Selection:
    """Return masks of boxes, by pixels and by Gaussians, and the class map that they make."""
    masks = {prompt: drawn(box) for prompt, box in boxes.items()}
    classes = np.full((12, 16), -1, np.int16)
    for prompt, mask in masks.items():
        classes[mask] = scene_prompts.index(prompt)
    return Selection(masks, masks, scene_prompts, classes)


PERFECT = {
    "left/a": selection({CUP: CUP_BOX, HANDLE: HANDLE_BOX}),
    "b": selection({PLATE: PLATE_BOX, CUP: CUP_BOX}),
}
Selections = dict[str, Selection]


def stored(one: Selection, grounder: str = G) -> dict[str, Any]:
    """Return the arrays of one grounder in one view."""
    shape = (len(one.masks), 12, 16)
    found = {
        "prompts": np.array([*one.masks], dtype=str),
        "masks": np.array([*one.masks.values()], bool).reshape(shape),
        "gaussians": np.array([*one.gaussians.values()], bool).reshape(shape),
        "scene_prompts": np.array(one.scene_prompts, dtype=str),
        "classes": one.classes,
    }
    return {f"{grounder}.{name}": array for name, array in found.items()}


def predict(folder: Path, by_grounder: dict[str, Selections], grounding: Any = GROUNDING) -> Path:
    for name in {name for views in by_grounder.values() for name in views}:
        found: dict[str, Any] = {}
        for grounder, views in by_grounder.items():
            found |= stored(views[name], grounder)
        write_arrays(folder / "selections" / f"{name}.npz", found)
    write_json(folder / "grounding.json", grounding)
    write_manifest(folder, {})
    return folder
