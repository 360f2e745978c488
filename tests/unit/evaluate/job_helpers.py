"""The two jobs of evaluation as the workflow runs them, on folders."""

from __future__ import annotations

from pathlib import Path

from semsplat.data.scene import load_scene
from semsplat.evaluate import jobs
from semsplat.evaluate.answers import Asked, Judged
from semsplat.params.evaluate import SelectionsJob

CLASS_ANSWERS = ("colours", "classes")
"""What methods are asked for that learn classes."""


def run_predict(
    answers: tuple[str, ...],
    scene_dir: Path,
    model_dir: Path,
    out: Path,
    features_dir: Path | None = None,
    cache: Path = Path("no cache"),
    clicks: SelectionsJob | None = None,
) -> None:
    """Write predictions; ``clicks`` is what the answers similarity and masks are told."""
    options = dict.fromkeys(("similarity", "masks"), clicks.model_dump()) if clicks else {}
    asked = Asked(load_scene(scene_dir), model_dir, features_dir, cache, {}, "cpu")
    jobs.predict(answers, asked, options, out)


def run_score(
    answers: tuple[str, ...],
    scene_dir: Path,
    predictions_dir: Path,
    out: Path,
    lessons_dir: Path | None = None,
    lpips_net: str = "alex",
) -> None:
    """Write ``scores.json``."""
    judged = Judged(load_scene(scene_dir), predictions_dir, lessons_dir, {}, out)
    jobs.score(answers, judged, {"colours": {"lpips_net": lpips_net}})
