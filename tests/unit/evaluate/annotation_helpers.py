"""An annotated shelf: what the scores of prompts are tested on, in pictures of 16 x 12 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.data.scene_writer import SceneWriter
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at

CUP, HANDLE, PLATE = "cup", "cup handle", "plate"
OBJECTS = [
    {"id": 1, "class_name": CUP, "parts": [{"id": 1, "name": "handle"}, {"id": 2, "name": "body"}]},
    {"id": 2, "class_name": PLATE, "parts": [{"id": 3, "name": "rim"}]},
]
Box = tuple[int, int, int, int]
CUP_BOX, HANDLE_BOX, PLATE_BOX = (2, 2, 5, 5), (6, 2, 7, 3), (9, 6, 14, 9)  # 16, 4, 24 pixels


def labelled(category: str, box: Box) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    polygon = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    return {"category": category, "bbox": list(box), "segmentation": polygon}


Labels = dict[str, list[dict[str, Any]] | None]
HELD_OUT: Labels = {
    "left/a": [labelled(CUP, CUP_BOX), labelled(HANDLE, HANDLE_BOX)],
    "b": [labelled(PLATE, PLATE_BOX)],
}
TRAINED: Labels = {"t": [labelled(CUP, CUP_BOX), labelled("spoon", PLATE_BOX)], "bare": None}


def write_scene(
    out_dir: Path, held_out: Labels = HELD_OUT, trained: Labels = TRAINED, parts: bool = True
) -> Path:
    with SceneWriter(out_dir, **ORIGIN) as writer:
        for x, (name, labels) in enumerate([*held_out.items(), *trained.items()]):
            split = "test" if name in held_out else "train"
            writer.add_frame(name, random_image(), viewmat_at(x), K, split, annotations=labels)
        if parts:
            writer.set_semantics({"classes": [{"id": 1, "name": CUP}], "objects": OBJECTS})
    return out_dir
