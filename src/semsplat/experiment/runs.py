"""What a suite computes: its runs, and the effective parameters of each."""

from __future__ import annotations

from typing import Any, NamedTuple

from semsplat.experiment.schema import Dataset, Params
from semsplat.io import sha256_text
from semsplat.params.geometry import Geometry, GeometryRun
from semsplat.params.methods import Frozen, TrainRun
from semsplat.params.teachers import TeacherRun
from semsplat.train.methods import method_options


class Run(NamedTuple):
    """One training and its evaluation."""

    dataset: str
    scene: str
    seed: int


class SettingRun(NamedTuple):
    """One training of a semantic method and its evaluation."""

    dataset: str
    scene: str
    setting: str
    seed: int


class LessonRun(NamedTuple):
    """What one teacher says about a scene; its mistakes and its tracks depend on the seed."""

    dataset: str
    scene: str
    teacher: str
    seed: int


def geometry_run(params: Params, run: Run) -> GeometryRun:
    """Return the effective parameters of one geometry run."""
    factor = params.suites[params.suite].steps_scaler
    return GeometryRun(
        **run._asdict(),
        run_seed=run_seed(params.seed, run),
        steps_scaler=factor,
        geometry=scaled_geometry(params.geometry, factor),
        log_every=params.training.log_every,
    )


def runs(params: Params) -> list[Run]:
    """Return the runs of the chosen suite, in the order of the file."""
    suite = params.suites[params.suite]
    places = [scene.split("/") for scene in suite.scenes]
    return [Run(dataset, scene, seed) for dataset, scene in places for seed in suite.seeds]


def shown_runs(params: Params, figure: str) -> list[Run]:
    """Return the runs of the chosen suite that a figure shows."""
    return [run for run in runs(params) if params.figures[figure].shows(run.dataset, run.scene)]


def shown_settings(params: Params, figure: str) -> list[str]:
    """Return the settings that a figure names and the chosen suite trains, in their order."""
    trained = params.suites[params.suite].settings
    return [name for name in params.figures[figure].settings if not trained or name in trained]


def setting_runs(params: Params) -> list[SettingRun]:
    """Return the trainings that the figures of the chosen suite show, sorted, each once."""
    figures = params.suites[params.suite].figures
    return sorted({run for figure in figures for run in _named_trainings(params, figure)})


def shown_trainings(params: Params, figure: str) -> list[SettingRun]:
    """Return the trainings of the chosen suite that a figure shows; all where it names none."""
    if params.figures[figure].settings:
        return sorted(_named_trainings(params, figure))
    return setting_runs(params)


def _named_trainings(params: Params, figure: str) -> set[SettingRun]:
    """Return the trainings that a figure asks for."""
    return {
        SettingRun(run.dataset, run.scene, setting, run.seed)
        for setting in shown_settings(params, figure)
        for run in shown_runs(params, figure)
    }


def lesson_runs(params: Params) -> list[LessonRun]:
    """Return the lessons that the trainings of the chosen suite learn from, sorted, each once."""
    return sorted(
        {
            LessonRun(r.dataset, r.scene, teacher, r.seed)
            for r in setting_runs(params)
            if (teacher := setting_teacher(params, r.setting))
        }
    )


def train_run(params: Params, run: SettingRun) -> TrainRun:
    """Return the effective parameters of one training.

    Runs that differ only in their setting share the seed: they see the views in one order and start
    from the same Gaussians, so that their differences are the setting's.
    """
    suite, setting = params.suites[params.suite], params.settings[run.setting]
    options = method_options(setting.method).model_validate(setting_options(params, run.setting))
    geometry = Geometry.model_validate(merged(params.geometry.model_dump(), setting.geometry))
    teacher = setting_teacher(params, run.setting)
    return TrainRun(
        **run._asdict(),
        run_seed=run_seed(params.seed, Run(run.dataset, run.scene, run.seed)),
        steps_scaler=suite.steps_scaler,
        rates_scaler=suite.rates_scaler,
        method=setting.method,
        options=options.scaled(suite.steps_scaler, suite.rates_scaler).model_dump(),
        teacher=params.features.teachers[teacher] if teacher else None,
        geometry=scaled_geometry(geometry, suite.steps_scaler),
        log_every=params.training.log_every,
    )


def lesson_run(params: Params, run: LessonRun) -> TeacherRun:
    """Return everything that a teacher is told."""
    return TeacherRun(
        dataset=run.dataset,
        scene=run.scene,
        name=run.teacher,
        seed=run.seed,
        run_seed=run_seed(params.seed, Run(run.dataset, run.scene, run.seed)),
        teacher=params.features.teachers[run.teacher],
    )


def setting_options(params: Params, setting: str) -> dict[str, Any]:
    """Return the method's options under a setting, not yet scaled."""
    entry = params.settings[setting]
    return merged(params.methods[entry.method], entry.override)


def setting_teacher(params: Params, setting: str) -> str | None:
    """Return the name of a setting's teacher, if its method learns from one."""
    name: str | None = setting_options(params, setting).get("teacher")
    return name


def is_frozen(params: Params, setting: str) -> bool:
    """Tell whether a setting's method learns on finished geometry."""
    return issubclass(method_options(params.settings[setting].method), Frozen)


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


def run_seed(master: int, run: Run) -> int:
    """Return the random seed of a run, 0 to 2^31 - 1; different for each run."""
    text = f"{master}/{run.dataset}/{run.scene}/geometry/{run.seed}"
    return int(sha256_text(text)[:8], 16) % 2**31


def scaled_geometry(geometry: Geometry, factor: float) -> Geometry:
    """Return the geometry parameters with every iteration count times ``factor``."""

    def steps(count: int, floor: int = 1) -> int:
        return max(round(count * factor), min(count, floor))

    densify, progressive = geometry.densify, geometry.progressive
    new_densify = {
        "start": steps(densify.start),
        "stop": steps(densify.stop),
        "every": steps(densify.every, densify.every_floor),
        "reset_every": steps(densify.reset_every, densify.reset_floor),
    }
    new_progressive = {
        "scale_steps": steps(progressive.scale_steps),
        "interval_start": steps(progressive.interval_start, 2 * densify.every_floor),
        "interval_steps": steps(progressive.interval_steps),
    }
    new = {
        "steps": steps(geometry.steps),
        "sh_every": steps(geometry.sh_every),
        "densify": densify.model_copy(update=new_densify),
        "progressive": progressive.model_copy(update=new_progressive),
    }
    return geometry.model_copy(update=new)
