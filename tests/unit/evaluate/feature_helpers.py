"""A wall seen by sideways moving cameras, and features whose labels are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene_writer import SceneWriter
from semsplat.features.store import ViewFeatures, write_view
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at

CLASSES = {2: "wall", 5: "lamp", 9: "rug"}  # ids with gaps, as Replica's
HEIGHT, WIDTH = 12, 16
DISTANCE = 4.0  # metres from the cameras to the wall: 20 px of focal length, so 1 m is 5 px


def write_wall(
    scene_dir: Path,
    steps: tuple[float, ...] = (0.0, 0.2, 0.4),
    truth: np.ndarray | None = None,
    depth: np.ndarray | float | None = DISTANCE,
    **origin: str,
) -> Path:
    """Write training views ``v0``, ``v1`` ... at the x positions ``steps``, and one held out."""
    depths = None if depth is None else np.full((HEIGHT, WIDTH), depth, np.float32)
    with SceneWriter(scene_dir, **{**ORIGIN, **origin}) as writer:
        for index, x in enumerate(steps):
            maps: dict[str, Any] = {"depth": depths, "labels": truth}
            writer.add_frame(
                f"v{index}", random_image(seed=index), viewmat_at(x), K, "train", **maps
            )
        writer.add_frame("held_out", random_image(), viewmat_at(9.0), K, "test")
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    return scene_dir


def features_of(ids: Any, labels: list[int], dense: np.ndarray | None = None) -> ViewFeatures:
    """Return features whose region i has the label labels[i], 1 to 3; dense labels are [h, w]."""
    one_hot = np.eye(len(CLASSES), dtype=np.float16)
    return ViewFeatures(
        ids=np.asarray(ids, np.int16).reshape(-1, HEIGHT, WIDTH),
        scores=np.ones(len(labels), np.float16),
        vectors=one_hot[np.array(labels, int) - 1],
        dense=None if dense is None else one_hot[dense - 1].transpose(2, 0, 1),
    )


def write_features(folder: Path, views: dict[str, ViewFeatures], **facts: Any) -> Path:
    """Write features as the phase *features* does, with one layer and axis-aligned text vectors."""
    for name, view in views.items():
        write_view(folder / "views" / f"{name}.npz", view)
    text = np.eye(len(CLASSES), dtype=np.float32)
    write_arrays(folder / "text.npz", {"classes": text, "canonical": text[:1]})
    default: dict[str, Any] = {
        "layers": ["all"],
        "prompts": {"classes": list(CLASSES.values()), "canonical": ["object"]},
        "class_ids": list(CLASSES),
        **{
            "dataset": "made",
            "scene": "wall",
            "recipe": folder.parent.name if folder.name == "all" else folder.name,
            "seed": None,
        },
        "config": {"segmenter": {"options": {}}},
    }
    write_manifest(folder, default | facts)
    return folder
