"""The files of weights that jobs read, where they come from elsewhere."""

from __future__ import annotations

from pathlib import Path

from semsplat.evaluate.answers import answer
from semsplat.experiment.asked import predict_options
from semsplat.experiment.schema import Params
from semsplat.features.hub import WEIGHTS
from semsplat.features.tracks import tracks_with_options
from semsplat.features.weights import EMBEDDED
from semsplat.keys import TrainingKey
from semsplat.params.features import ClipModel, FeaturesJob, SamModel
from semsplat.params.hub import HubModel


def recipe_weights(run: FeaturesJob) -> list[Path]:
    """Return those of an extraction's CLIP, SAM and DINO."""
    dino = run.recipe.dino_maps
    return _files(run.clip, run.sam, dino.model if dino else None)


def teacher_weights(params: Params, teacher: str) -> list[Path]:
    """Return those of the networks by which a teacher follows regions."""
    kind, options = tracks_with_options(params.features.teachers[teacher].tracks)
    return _files(*kind.models(options))


def answer_weights(params: Params, run: TrainingKey) -> list[Path]:
    """Return those of the networks that answers of a training ask, such as where to click."""
    options = predict_options(params, run)
    asking = {name: told for name, told in options.items() if hasattr(answer(name), "models")}
    models = [m for name, told in asking.items() for m in answer(name).models(told)]
    return _files(*models)


def _files(*models: ClipModel | SamModel | HubModel | None) -> list[Path]:
    places = []
    for model in models:
        if isinstance(model, HubModel):
            places.append(Path(model.folder, WEIGHTS))
        elif model is not None and model.weights != EMBEDDED:
            places.append(Path(model.weights))
    return places
