"""Class maps of all views: held-out ones against the truth, neighbours against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.data.images import write_png
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.paths import CLASSES, FIELD_FILE

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
    from semsplat.train.model import SemanticField

PREDICTS_FROM = ()
SCORES_WITH = ("lessons",)
CASES = ("class_maps", "neighbours")


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write ``classes/{frame}.png`` of all views, 16-bit class ids.

    Those of training views too: they tell what was learned of the lessons, and whether neighbouring
    views agree.
    """
    from semsplat.train.model import open_field

    field, frames = open_field(asked.model_dir, asked.device), asked.scene.frames
    for frame in progress(frames, "classes"):
        write_png(folder / CLASSES / f"{frame.name}.png", field.class_map(frame))
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}


def time(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return FPS and milliseconds of a frame, colours with class map."""
    from semsplat.evaluate.stopwatch import median_seconds

    median = median_seconds(field.render, frames, field.trained.device)
    return {"fps": round(1 / median, 2), "frame_ms": round(1000 * median, 3)}


def score(judged: Judged) -> Scores:
    """Return what `class_scores` says of class maps."""
    from semsplat.evaluate.class_scores import class_scores

    return class_scores(judged)
