"""The files of weights that jobs read, where they come from elsewhere."""

from __future__ import annotations

from pathlib import Path

from semsplat.features.hub import WEIGHTS
from semsplat.features.tracks import tracks_with_options
from semsplat.features.weights import EMBEDDED
from semsplat.params.evaluate import SelectionsRun
from semsplat.params.features import ClipModel, FeaturesRun, SamModel
from semsplat.params.hub import HubModel
from semsplat.params.schema import Params


def recipe_weights(run: FeaturesRun) -> list[Path]:
    """Return those of an extraction's CLIP and SAM."""
    return _files(run.clip, run.sam)


def teacher_weights(params: Params, teacher: str) -> list[Path]:
    """Return those of the networks by which a teacher follows regions."""
    kind, options = tracks_with_options(params.features.teachers[teacher].tracks)
    return _files(*kind.models(options))


def selection_weights(params: Params, dataset: str, scene: str) -> list[Path]:
    """Return those of the networks that tell where to click."""
    place, sams = f"{dataset}/{scene}", params.features.sam_models
    run: SelectionsRun = params.evaluate.selections_run(place, sams)
    return _files(run.grounding_dino.model, run.sam) if run.grounding_dino else []


def _files(*models: ClipModel | SamModel | HubModel | None) -> list[Path]:
    places = []
    for model in models:
        if isinstance(model, HubModel):
            places.append(Path(model.folder, WEIGHTS))
        elif model is not None and model.weights != EMBEDDED:
            places.append(Path(model.weights))
    return places
