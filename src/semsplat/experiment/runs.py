"""What a suite computes: its runs, and the effective parameters of each."""

from __future__ import annotations

from typing import Any

from semsplat.experiment.schema import Dataset, Params
from semsplat.figures import figure_kind
from semsplat.io import sha256_text
from semsplat.keys import GeometryKey, LessonsKey, TrainingKey
from semsplat.params.external import ExternalJob
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.params.methods import OnGeometry, TrainingJob
from semsplat.params.scaling import scaled_geometry
from semsplat.params.teachers import LessonsJob
from semsplat.paths import GEOMETRY
from semsplat.train.methods import method_options


def geometry_job(params: Params, key: GeometryKey) -> GeometryJob:
    """Return the effective parameters of one geometry run."""
    factor = params.suites[params.suite].steps_scaler
    return GeometryJob(
        **key._asdict(),
        run_seed=run_seed(params.seed, key),
        steps_scaler=factor,
        geometry=scaled_geometry(params.geometry, factor),
        log_every=params.training.log_every,
    )


def geometry_keys(params: Params) -> list[GeometryKey]:
    """Return the runs of the chosen suite, in the order of the file."""
    suite = params.suites[params.suite]
    places = [scene.split("/") for scene in suite.scenes]
    return [GeometryKey(dataset, scene, seed) for dataset, scene in places for seed in suite.seeds]


def shown_runs(params: Params, figure: str) -> list[GeometryKey]:
    """Return the runs of the chosen suite that a figure shows.

    A sheet shows those of which all its settings have predictions; a table says what is missing.
    """
    entry = params.figures[figure]
    shown = [key for key in geometry_keys(params) if entry.shows(key.dataset, key.scene)]
    named = [] if "table" in entry.options else shown_settings(params, figure)
    return [key for key in shown if all(_exists(params, name, key) for name in named)]


def shown_settings(params: Params, figure: str) -> list[str]:
    """Return the settings that a figure names and the chosen suite trains, in their order."""
    suite, named = params.suites[params.suite], params.figures[figure].settings
    trained = [name for name in named if not suite.settings or name in suite.settings]
    return [name for name in trained if name not in suite.without]


def training_keys(params: Params) -> list[TrainingKey]:
    """Return the trainings that the figures of the chosen suite show, sorted, each once.

    Predictions that were made elsewhere stand among them: see `external_keys`.
    """
    figures = params.suites[params.suite].figures
    return sorted({run for figure in figures for run in _named_trainings(params, figure)})


def own_keys(params: Params) -> list[TrainingKey]:
    """Return those of `training_keys` that are trained here."""
    return [run for run in training_keys(params) if run.setting in params.settings]


def external_keys(params: Params) -> list[TrainingKey]:
    """Return those of `training_keys` whose predictions were made elsewhere."""
    return [run for run in training_keys(params) if run.setting in params.external]


def shown_trainings(params: Params, figure: str) -> list[TrainingKey]:
    """Return the trainings of the chosen suite that a figure shows; all where it names none."""
    if params.figures[figure].settings:
        return sorted(_named_trainings(params, figure))
    return training_keys(params)


def table_trainings(params: Params, figure: str) -> list[TrainingKey]:
    """Return the trainings that a table shows, or the geometries, whose setting has that name."""
    if figure_kind(params.figures[figure].kind).SCOPE == "geometries":
        shown = shown_runs(params, figure)
        return [TrainingKey(run.dataset, run.scene, GEOMETRY, run.seed) for run in shown]
    return shown_trainings(params, figure)


def _named_trainings(params: Params, figure: str) -> set[TrainingKey]:
    """Return the trainings that a figure asks for."""
    return {
        TrainingKey(run.dataset, run.scene, setting, run.seed)
        for setting in shown_settings(params, figure)
        for run in shown_runs(params, figure)
        if _exists(params, setting, run)
    }


def _exists(params: Params, setting: str, run: GeometryKey) -> bool:
    """Tell whether a setting has a run: those that are trained have every one."""
    entry = params.external.get(setting)
    return entry is None or entry.covers(*run)


def lessons_keys(params: Params) -> list[LessonsKey]:
    """Return the lessons that the trainings of the chosen suite learn from, sorted, each once."""
    return sorted(
        {
            LessonsKey(r.dataset, r.scene, teacher, r.seed)
            for r in own_keys(params)
            if (teacher := setting_teacher(params, r.setting))
        }
    )


def training_job(params: Params, run: TrainingKey) -> TrainingJob:
    """Return the effective parameters of one training.

    Runs that differ only in their setting share the seed: they see the views in one order and start
    from the same Gaussians, so that their differences are the setting's.
    """
    suite, setting = params.suites[params.suite], params.settings[run.setting]
    options = method_options(setting.method).model_validate(setting_options(params, run.setting))
    geometry = Geometry.model_validate(merged(params.geometry.model_dump(), setting.geometry))
    teacher = setting_teacher(params, run.setting)
    return TrainingJob(
        **run._asdict(),
        run_seed=run_seed(params.seed, GeometryKey(run.dataset, run.scene, run.seed)),
        steps_scaler=suite.steps_scaler,
        rates_scaler=suite.rates_scaler,
        method=setting.method,
        options=options.scaled(suite.steps_scaler, suite.rates_scaler).model_dump(),
        teacher=params.features.teachers[teacher] if teacher else None,
        geometry=scaled_geometry(geometry, suite.steps_scaler),
        log_every=params.training.log_every,
    )


def lessons_job(params: Params, run: LessonsKey) -> LessonsJob:
    """Return everything that a teacher is told."""
    return LessonsJob(
        dataset=run.dataset,
        scene=run.scene,
        name=run.teacher,
        seed=run.seed,
        run_seed=run_seed(params.seed, GeometryKey(run.dataset, run.scene, run.seed)),
        teacher=params.features.teachers[run.teacher],
    )


def setting_options(params: Params, setting: str) -> dict[str, Any]:
    """Return the method's options under a setting, not yet scaled."""
    entry = params.settings[setting]
    return merged(params.methods[entry.method], entry.override)


def setting_teacher(params: Params, setting: str) -> str | None:
    """Return the name of a setting's teacher, if its method learns from one here."""
    if setting in params.external:
        return None
    name: str | None = setting_options(params, setting).get("teacher")
    return name


def external_job(params: Params, run: TrainingKey) -> ExternalJob:
    """Return what the import of predictions that were made elsewhere is told."""
    return ExternalJob(**run._asdict(), answers=params.external[run.setting].answers)


def is_frozen(params: Params, setting: str) -> bool:
    """Tell whether a setting's method works on finished geometry."""
    return issubclass(method_options(params.settings[setting].method), OnGeometry)


def merged(base: dict[str, Any], diff: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``diff`` in their places, section by section.

    A section of another ``kind`` takes the place of the one that was there: options are a kind's.
    """
    sections = {
        key: merged(base[key], value)
        for key, value in diff.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
        if value.get("kind", kind := base[key].get("kind")) == kind
    }
    return {**base, **diff, **sections}


def scene_options(params: Params, dataset: str, scene: str) -> dict[str, Any]:
    """Return the importer's options for one scene: the data set's, then the scene's own."""
    entry: Dataset = params.datasets[dataset]
    return {**entry.options, **entry.scenes[scene]}


def run_seed(master: int, key: GeometryKey) -> int:
    """Return the random seed of a run, 0 to 2^31 - 1; different for each run."""
    text = f"{master}/{key.dataset}/{key.scene}/geometry/{key.seed}"
    return int(sha256_text(text)[:8], 16) % 2**31
