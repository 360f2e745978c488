"""What is like a click: masks of prompts, by the pixel that each grounder clicks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.grounders import with_clicks
from semsplat.params.evaluate import Evaluate, SelectionsJob
from semsplat.params.features import SamModel
from semsplat.params.hub import HubModel

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
    from semsplat.train.model import SemanticField

PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("masks", "prompt_maps")


def predict_options(
    evaluate: Evaluate, place: str, sam_models: Mapping[str, SamModel]
) -> SelectionsJob:
    """Return who is asked where to click on a scene, ``dataset/scene``, and a person's clicks."""
    return evaluate.selections_job(place, sam_models)


def models(options: SelectionsJob) -> tuple[HubModel | SamModel | None, ...]:
    """Return the networks that tell where to click."""
    return (options.grounding_dino.model, options.sam) if options.grounding_dino else ()


def modules(options: SelectionsJob) -> list[str]:
    """Return the grounders, which are imported by name."""
    return [f"semsplat.evaluate.grounders.{name}" for name in with_clicks(options.grounders)]


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what `write_selections` writes."""
    from semsplat.evaluate.write_selections import write_selections

    return write_selections(asked, folder)


def time(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one object's mask in one view (CGC, Eq. 6)."""
    import torch
    from torch import Tensor

    from semsplat.evaluate.selection import THRESHOLD, cosine, selected
    from semsplat.evaluate.stopwatch import median_seconds

    def select(frame: Frame) -> Tensor:
        return selected(cosine(field.blend(frame), field.semantics[:1]), THRESHOLD)

    with torch.no_grad():
        median = median_seconds(select, frames, field.trained.device)
    return {"mask_ms": round(1000 * median, 3)}


def score(judged: Judged) -> Scores:
    """Return what `selection_scores` says of the masks."""
    from semsplat.evaluate.selection_scores import selection_scores

    return selection_scores(judged)
