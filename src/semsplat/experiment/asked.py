"""What every training is asked for, and what its evaluation is told and computed by."""

from __future__ import annotations

from types import ModuleType

from semsplat.evaluate.answers import COLOURS, answer, followed
from semsplat.evaluate.external import external_answer
from semsplat.evaluate.protocols import protocols_of
from semsplat.experiment.schema import Params
from semsplat.fingerprint import fingerprint
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict
from semsplat.paths import GEOMETRY
from semsplat.train.methods import method

Options = dict[str, Strict]
"""{answer: what it is told}, without those that are told nothing."""


def answers(params: Params, setting: str) -> tuple[str, ...]:
    """Return what is asked of a setting's trainings; of the geometry, its colours.

    Of predictions that were made elsewhere: what their entry says that they answer.
    """
    if setting == GEOMETRY:
        return (COLOURS,)
    if setting in params.external:
        return tuple(params.external[setting].answers)
    return followed(method(params.settings[setting].method).ANSWERS)


def settings_answering(params: Params, name: str) -> list[str]:
    """Return the settings whose trainings are asked for one answer."""
    return [setting for setting in params.settings if name in answers(params, setting)]


def predict_options(params: Params, run: TrainingKey) -> Options:
    """Return what the predictions of a training are told."""
    place, sams = f"{run.dataset}/{run.scene}", params.features.sam_models
    return {
        name: kind.predict_options(params.evaluate, place, sams)
        for name, kind in _answers(params, run.setting).items()
        if hasattr(kind, "predict_options")
    }


def score_options(params: Params, setting: str) -> Options:
    """Return what the scores of a setting's trainings are told."""
    return {
        name: kind.score_options(params.evaluate)
        for name, kind in _answers(params, setting).items()
        if hasattr(kind, "score_options")
    }


def predict_code(params: Params, run: TrainingKey) -> str:
    """Return the fingerprint of what predicts, the method and what is imported by name included."""
    options = predict_options(params, run)
    modules = ["semsplat.evaluate.jobs:predict"]
    for name, kind in _answers(params, run.setting).items():
        modules.append(f"{kind.__name__}:predict")
        modules += kind.modules(options[name]) if hasattr(kind, "modules") else []
    if run.setting != GEOMETRY:
        modules.append(method(params.settings[run.setting].method).__name__)
    return fingerprint(*modules)


def external_code(params: Params, setting: str) -> str:
    """Return the fingerprint of what imports predictions that were made elsewhere."""
    kinds = [external_answer(name).__name__ for name in answers(params, setting)]
    return fingerprint("semsplat.evaluate.external.exchange:import_predictions", *kinds)


def score_code(params: Params, setting: str) -> str:
    """Return the fingerprint of what scores, protocols included."""
    kinds = _answers(params, setting).values()
    protocols = [p.__name__ for kind in kinds for cases in kind.CASES for p in protocols_of(cases)]
    scorers = [f"{kind.__name__}:score" for kind in kinds]
    return fingerprint("semsplat.evaluate.jobs:score", *scorers, *protocols)


def speed_code(params: Params) -> str:
    """Return the fingerprint of what measures all settings' speed."""
    names = {name for setting in params.settings for name in answers(params, setting)}
    timed = [kind for kind in map(answer, sorted(names)) if hasattr(kind, "time")]
    return fingerprint("semsplat.evaluate.speed", *(f"{kind.__name__}:time" for kind in timed))


def reads(params: Params, setting: str, job: str) -> set[str]:
    """Return which further sources a job's answers read: features to predict, lessons to score."""
    kinds = _answers(params, setting).values()
    return {source for kind in kinds for source in getattr(kind, job)}


def _answers(params: Params, setting: str) -> dict[str, ModuleType]:
    return {name: answer(name) for name in answers(params, setting)}
