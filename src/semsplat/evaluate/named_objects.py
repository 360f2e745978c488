"""What is asked for by name in a view, and where it is in truth, for protocols of selection."""

from __future__ import annotations

from collections import Counter
from typing import Any

from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame, Scene, load_ids, load_semantics
from semsplat.evaluate.boundary import Mask

MIN_AREA_PX = 40
"""Of an object in a view; nobody labels what cannot be seen.  As in the annotations of worlds."""


def named_objects(scene: Scene) -> dict[str, int]:
    """Return {"red chair": instance id} of the objects that no other shares its name with.

    Nothing where ``semantics.json`` does not list objects with colours.
    """
    if not (scene.scene_dir / "semantics.json").is_file():
        return {}
    objects: list[dict[str, Any]] = load_semantics(scene).get("objects", [])
    named = [(f"{o['color']} {o['class_name']}", o["id"]) for o in objects if "color" in o]
    counts = Counter(name for name, _ in named)
    return {name: number for name, number in named if counts[name] == 1}


class Truth:
    """The true masks of a scene's prompts: one object each, as in LERF-Mask.

    They are the scene's annotations; in a procedural scene, whose annotations name classes and
    parts that several objects share, its single objects instead.
    """

    def __init__(self, scene: Scene) -> None:
        """Read how objects are called."""
        self._objects = named_objects(scene)

    def has(self, frame: Frame) -> bool:
        """Tell whether a frame is labelled."""
        return bool(frame.instances_path if self._objects else frame.annotations_path)

    def masks(self, frame: Frame) -> dict[str, Mask]:
        """Return {prompt: bool [H, W]} of all that a labelled frame shows."""
        if not self._objects:
            return {name: seen.mask for name, seen in load_annotations(frame).items()}
        assert frame.instances_path is not None
        ids = load_ids(frame.instances_path, frame)
        masks = {name: ids == number for name, number in self._objects.items()}
        return {name: mask for name, mask in masks.items() if mask.sum() >= MIN_AREA_PX}
