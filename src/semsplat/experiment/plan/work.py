"""How many jobs a suite has, and about how long and how large they are, phase by phase."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from semsplat.experiment.recipes import features_job, features_keys
from semsplat.experiment.runs import (
    geometry_keys,
    lessons_keys,
    own_keys,
    setting_options,
    training_keys,
)
from semsplat.experiment.schema import Params
from semsplat.io import parse_yaml
from semsplat.params.base import Positive, Strict
from semsplat.train.methods import method_options

ESTIMATES = Path(__file__).parent / "estimates.yaml"
CLIP_DIMENSIONS = 512
"""of what a Gaussian of Feature 3DGS holds: its method has no parameter for it"""
STATES = 6
STATES_BASIS = (
    "states of one training at a time: its numbers and two moments of each, and the next state"
    " beside the last"
)
HELD_OUT = 1 / 8
"""of a scene's views; about, for the space of predictions"""


class PerView(Strict):
    """A phase whose work grows with the views."""

    seconds_per_view: Positive
    mb_per_view: Positive
    basis: str
    """where the numbers are from"""


class FeaturesEstimate(PerView):
    """Masks and vectors."""

    cropped_seconds_per_view: Positive
    """where SAM sees crops of the image too"""


class DataEstimate(Strict):
    """Imports."""

    mb_per_view: Positive
    basis: str


class GeometryEstimate(Strict):
    """Geometry at the papers' steps."""

    minutes: Positive
    n_gaussians: int
    bytes_per_gaussian: int
    basis: str


class TrainEstimate(Strict):
    """Trainings at the papers' steps."""

    minutes: dict[str, Positive]
    """by method; one that nobody has timed counts as the slowest"""
    basis: str


class Estimates(Strict):
    """The whole file."""

    views: dict[str, int]
    """by data set, or by data set and scene"""
    data: DataEstimate
    geometry: GeometryEstimate
    features: FeaturesEstimate
    teach: PerView
    train: TrainEstimate
    evaluate: PerView

    def n_views(self, dataset: str, scene: str) -> int:
        """Return the number of views of a scene."""
        return self.views.get(f"{dataset}/{scene}", self.views.get(dataset, 0))

    def untimed(self, params: Params) -> list[str]:
        """Return the methods of the chosen suite that nobody has timed."""
        used = {params.settings[key.setting].method for key in own_keys(params)}
        return sorted(used - set(self.train.minutes))


class Phase(NamedTuple):
    """One phase of a suite."""

    name: str
    jobs: int
    gpu_hours: float
    disk_gb: float
    basis: str


@cache
def load_estimates() -> Estimates:
    """Return the estimates that the package ships."""
    return Estimates.model_validate(parse_yaml(ESTIMATES.read_text(encoding="utf-8")))


def phases(params: Params) -> list[Phase]:
    """Return the phases of the chosen suite in their order; steps scale training alone."""
    known, geometries = load_estimates(), geometry_keys(params)
    scenes = dict.fromkeys((key.dataset, key.scene) for key in geometries)
    views = _views(known, scenes)
    lessons = lessons_keys(params)
    scored = [(r.dataset, r.scene) for r in training_keys(params)] + [
        (r.dataset, r.scene) for r in geometry_keys(params)
    ]
    return [
        Phase("data", len(scenes), 0.0, views * known.data.mb_per_view / 1e3, known.data.basis),
        _geometry(params, known),
        _features(params, known),
        _per_view("teach", known, known.teach, [(r.dataset, r.scene) for r in lessons]),
        _train(params, known),
        _per_view("evaluate", known, known.evaluate, scored, HELD_OUT),
        _scratch(params, known),
    ]


def _views(known: Estimates, scenes: Iterable[tuple[str, str]]) -> int:
    return sum(known.n_views(*place) for place in scenes)


def _per_view(
    name: str, known: Estimates, phase: PerView, scenes: list[tuple[str, str]], share: float = 1.0
) -> Phase:
    """Return a phase whose jobs look at a share of the views of a scene each."""
    views = share * _views(known, scenes)
    hours, disk = views * phase.seconds_per_view / 3600, views * phase.mb_per_view / 1e3
    return Phase(name, len(scenes), hours, disk, phase.basis)


def _features(params: Params, known: Estimates) -> Phase:
    wanted, one, seconds = features_keys(params), known.features, 0.0
    for run in wanted:
        recipe = features_job(params, run).recipe
        crops = recipe.segmenter.options.get("crop_n_layers", 0) > 0
        each = one.cropped_seconds_per_view if crops else one.seconds_per_view
        seconds += known.n_views(run.dataset, run.scene) * each
    views = _views(known, [(run.dataset, run.scene) for run in wanted])
    return Phase("features", len(wanted), seconds / 3600, views * one.mb_per_view / 1e3, one.basis)


def _geometry(params: Params, known: Estimates) -> Phase:
    count, one = len(geometry_keys(params)), known.geometry
    hours = count * one.minutes / 60 * params.suites[params.suite].steps_scaler
    return Phase("geometry", count, hours, count * _splat_gb(known, 0), one.basis)


def _scratch(params: Params, known: Estimates) -> Phase:
    """Return what the saved states of one training at a time take, the largest."""
    settings = {run.setting for run in own_keys(params)}
    largest = max((_held(params, name) for name in settings), default=0)
    return Phase("scratch", 1, 0.0, STATES * _splat_gb(known, largest), STATES_BASIS)


def _held(params: Params, setting: str) -> int:
    """Return how many numbers a Gaussian of a setting holds beside its colours and shape."""
    options = method_options(params.settings[setting].method)
    return options.model_validate(setting_options(params, setting)).held(CLIP_DIMENSIONS)


def _train(params: Params, known: Estimates) -> Phase:
    settings = [run.setting for run in own_keys(params)]
    methods = [params.settings[name].method for name in settings]
    dims = [_held(params, name) for name in settings]
    minutes = known.train.minutes
    hours = sum(minutes.get(method, max(minutes.values())) for method in methods) / 60
    scaled = hours * params.suites[params.suite].steps_scaler
    disk = sum(_splat_gb(known, dim) for dim in dims)
    return Phase("train", len(settings), scaled, disk, known.train.basis)


def _splat_gb(known: Estimates, dim: int) -> float:
    """Return the size of a splat whose Gaussians hold ``dim`` float32 numbers more."""
    one = known.geometry
    return one.n_gaussians * (one.bytes_per_gaussian + 4 * dim) / 1e9
