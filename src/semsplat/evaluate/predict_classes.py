"""Render the colours and the class maps of a trained setting to disk."""

from __future__ import annotations

from pathlib import Path

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.evaluate.predict import model_facts, write_view
from semsplat.io import atomic_dir, sha256_file
from semsplat.log import progress
from semsplat.paths import CLASSES
from semsplat.train.model import FILE, open_field


def predict_classes(scene_dir: Path, model_dir: Path, out_dir: Path, device: str) -> None:
    """Write what `predict_views` writes, and ``classes/{frame}.png`` for all views.

    Class maps hold 16-bit class ids, those of training views too: they tell what was learned of the
    lessons, and whether neighbouring views agree.
    """
    scene, field = load_scene(scene_dir), open_field(model_dir, device)
    held_out = {frame.name for frame in scene.test}
    with atomic_dir(out_dir) as partial:
        for frame in progress(scene.frames, "render", total=len(scene.frames)):
            image, depth, classes = field.view(frame)
            if frame.name in held_out:
                write_view(partial, frame.name, image, depth)
            write_png(partial / CLASSES / f"{frame.name}.png", classes)
        facts = {**model_facts(model_dir, device), "semantics": sha256_file(model_dir / FILE)}
        write_manifest(partial, facts)
