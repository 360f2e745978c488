"""Checked parameters, the suite's runs, limits and helpers; no rules here."""

import json
import shlex
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.19")
sys.path.insert(0, "src")

from semsplat.data.datasets import importer
from semsplat.data.register.entries import (
    entries,
    entry_named,
    entry_of,
    receipt_of,
    unpacked_receipt_of,
)
from semsplat.data.register.fetch import drop_receipts_of_lost_folders, is_unpacked
from semsplat.evaluate.grounders import with_clicks
from semsplat.figures import figure_kind
from semsplat.figures.published import FOLDER, digest_of
from semsplat.fingerprint import fingerprint
from semsplat.gpu import visible_gpus
from semsplat.io import canonical_json
from semsplat.params.check import check_or_exit
from semsplat.features.teachers import teacher_with_options
from semsplat.features.tracks import tracks_with_options
from semsplat.params.networks import ClipRun, SamRun
from semsplat.params.quality import QualityRun, TuningRun
from semsplat.paths import put_checkout_first
from semsplat.plan import weights
from semsplat.plan.needs import needs
from semsplat.plan.screen import show_plan
from semsplat.params.runs import (
    LessonRun,
    Run,
    SettingRun,
    answers,
    feature_runs,
    features_run,
    geometry_run,
    is_frozen,
    lesson_run,
    lesson_runs,
    runs,
    scene_options,
    setting_recipe,
    setting_runs,
    setting_teacher,
    shown_runs,
    shown_settings,
    shown_trainings,
    teacher_recipe,
    train_run,
)
from semsplat.train.methods import CLASSES, RELEVANCY, SIMILARITY
from semsplat.track.index import drop_orphaned_stamps

put_checkout_first()
PARAMS = check_or_exit(config)
SUITE = PARAMS.suite
RUNS = runs(PARAMS)
FEATURE_RUNS = feature_runs(PARAMS)
LESSON_RUNS = lesson_runs(PARAMS)
SETTING_RUNS = setting_runs(PARAMS)
PUBLISHED = digest_of(FOLDER)
drop_orphaned_stamps()
drop_receipts_of_lost_folders()
if workflow.is_main_process:
    show_plan(PARAMS, workflow.output_settings.dryrun)

# Without a limit Snakemake starts one GPU job per core; --resources gpu=N still wins.  Where there
# is no GPU, cores are the limit.  MLflow's store has one writer.  Kept out of the profile:
# --resources would replace the whole map there.
if visible_gpus():
    workflow.global_resources.setdefault("gpu", len(visible_gpus()))
workflow.global_resources.setdefault("mlflow", 1)


resource_scopes:
    gpu="local",


wildcard_constraints:
    dataset="|".join(PARAMS.datasets),
    scene="[a-z0-9_]+",
    seed=r"\d+",
    suite="|".join(PARAMS.suites),
    figure="|".join(PARAMS.figures),
    recipe="|".join(PARAMS.features.recipes),
    teacher="|".join(PARAMS.features.teachers),
    setting="|".join(PARAMS.settings) or "(?!)",


def over_runs(*patterns):
    """Fill the patterns for every run of the suite, each result once."""
    return sorted({p.format(**run._asdict()) for p in patterns for run in RUNS})


def over_features(pattern):
    """Fill the pattern for every scene and recipe that figures show or trainings learn from."""
    return [pattern.format(**run._asdict()) for run in FEATURE_RUNS]


def over_lessons(pattern):
    """Fill the pattern for every scene, teacher and seed that trainings learn from."""
    return [pattern.format(**run._asdict()) for run in LESSON_RUNS]


def over_settings(*patterns):
    """Fill the patterns for every training that the suite's figures show, each result once."""
    return sorted({p.format(**run._asdict()) for p in patterns for run in SETTING_RUNS})


def over_clusters():
    """Return the clusters that the suite's figures show, each once."""
    names = PARAMS.suites[SUITE].figures
    needs = [
        (name, n) for name in names for n in figure_needs(name) if "/clusters/" in n
    ]
    return sorted({path for need in needs for path in over_shown(*need)})


def training_names(trainings):
    """Return dataset/scene/setting/seed of each training."""
    return ["/".join(map(str, training)) for training in trainings]


def options_json(wildcards):
    """Return the importer's options of one scene as canonical JSON."""
    return canonical_json(scene_options(PARAMS, wildcards.dataset, wildcards.scene))


def geometry_config(wildcards):
    """Return the effective parameters of one geometry run as JSON."""
    run = Run(wildcards.dataset, wildcards.scene, int(wildcards.seed))
    return geometry_run(PARAMS, run).model_dump_json()


def features_config(wildcards):
    """Return a recipe with its models as JSON."""
    names = wildcards.dataset, wildcards.scene, wildcards.recipe
    return features_run(PARAMS, *names).model_dump_json()


def segmenter_code(wildcards):
    """Return the fingerprint of a recipe's segmenter, which is imported by name."""
    kind = PARAMS.features.recipes[wildcards.recipe].segmenter.kind
    return fingerprint(f"semsplat.features.segmenters.{kind}")


def teacher_config(wildcards):
    """Return a teacher as JSON."""
    run = LessonRun(*_place(wildcards), wildcards.teacher, int(wildcards.seed))
    return lesson_run(PARAMS, run).model_dump_json()


def teacher_code(wildcards):
    """Return the fingerprint of a teacher and of its kinds, which are imported by name."""
    modules = [kind.__name__ for kind, _ in _teacher_kinds(wildcards)]
    return fingerprint("semsplat.features.teach", *modules)


def teacher_features(wildcards):
    """Return the features that a teacher reads, if it reads any."""
    return _features_of(wildcards, teacher_recipe(PARAMS, wildcards.teacher))


def setting_features(wildcards):
    """Return the features that a setting's method or its teacher reads, if either does."""
    return _features_of(wildcards, setting_recipe(PARAMS, wildcards.setting))


def _features_of(wildcards, recipe):
    folder = f"results/features/{wildcards.dataset}/{wildcards.scene}/{recipe}"
    return [f"{folder}/manifest.json"] if recipe else []


def teacher_geometry(wildcards):
    """Return the geometry whose rendered depth a teacher's tracks follow, if they do."""
    kind, options = _teacher_kinds(wildcards)[1]
    needed = kind.needs_geometry(options)
    return _geometry_files(wildcards, wildcards.seed if needed else None)


def setting_geometry(wildcards):
    """Return the geometry that a setting's method leaves as it is, if it does."""
    frozen = is_frozen(PARAMS, wildcards.setting)
    return _geometry_files(wildcards, wildcards.seed if frozen else None)


def recipe_geometry(wildcards):
    """Return the geometry whose rendered depth a recipe's prompts follow, if they do."""
    seed = PARAMS.features.recipes[wildcards.recipe].geometry_seed
    return _geometry_files(wildcards, seed)


def _geometry_files(wildcards, seed):
    """Return what a geometry run leaves to render with, nothing where the seed is None."""
    place = f"results/geometry/{wildcards.dataset}/{wildcards.scene}/{seed}"
    names = () if seed is None else ("point_cloud.ply", "run.json")
    return [f"{place}/{name}" for name in names]


def teacher_maps(wildcards):
    """Return the label and id maps on disk that a teacher reads."""
    folders = [
        Path(f) for k, options in _teacher_kinds(wildcards) for f in k.folders(options)
    ]
    return sorted(str(path) for folder in folders for path in folder.rglob("*.png"))


def source_options(wildcards, input):
    """Return the arguments that name the lessons, features and geometry that a job reads."""
    files = {kind: input.get(kind) for kind in ("lessons", "features", "geometry")}
    found = [
        (f"--{kind}", Path(several[0]).parent)
        for kind, several in files.items()
        if several
    ]
    return " ".join(f"{flag} {shlex.quote(str(folder))}" for flag, folder in found)


def _teacher_kinds(wildcards):
    """Return the kinds of a teacher's labels and tracks, each with its options."""
    teacher = PARAMS.features.teachers[wildcards.teacher]
    return teacher_with_options(teacher.labels), tracks_with_options(teacher.tracks)


def _place(wildcards):
    return wildcards.dataset, wildcards.scene


def train_config(wildcards):
    """Return the effective parameters of one training as JSON."""
    run = SettingRun(*_place(wildcards), wildcards.setting, int(wildcards.seed))
    return train_run(PARAMS, run).model_dump_json()


def method_code(wildcards):
    """Return the fingerprint of a setting's method, which is imported by name."""
    method = PARAMS.settings[wildcards.setting].method
    return fingerprint(f"semsplat.train.methods.{method}")


def train_code(wildcards):
    """Return the fingerprint of all that a training computes with."""
    method = PARAMS.settings[wildcards.setting].method
    return fingerprint("semsplat.train.run", f"semsplat.train.methods.{method}")


def setting_lessons(wildcards):
    """Return the lessons that a setting learns from, if it has a teacher."""
    teacher = setting_teacher(PARAMS, wildcards.setting)
    if teacher is None:
        return []
    place = f"{wildcards.dataset}/{wildcards.scene}/{teacher}/{wildcards.seed}"
    return [f"results/features/{place}/manifest.json"]


def settings_answering(kind):
    """Return a wildcard's pattern of the settings whose fields are asked for one thing."""
    names = [name for name in PARAMS.settings if answers(PARAMS, name) == kind]
    return "|".join(names) or "(?!)"  # matches nothing


def selections_config(wildcards):
    """Return who is asked where to click on a scene, and a person's clicks, as JSON."""
    place, sams = "/".join(_place(wildcards)), PARAMS.features.sam_models
    return canonical_json(PARAMS.evaluate.selections_run(place, sams).model_dump())


def importer_name(wildcards):
    """Return the importer of a data set."""
    return PARAMS.datasets[wildcards.dataset].importer


def scene_sources(wildcards):
    """Return the files an import reads: a drawn world, or what lies on disk."""
    source = importer(importer_name(wildcards))
    if hasattr(source, "draw"):
        return f"data/native/{wildcards.dataset}/{wildcards.scene}/manifest.json"
    merged = scene_options(PARAMS, wildcards.dataset, wildcards.scene)
    options = source.Options.model_validate(merged)
    return registered_sources(options) or source.sources(options)


def registered_sources(options):
    """Return the receipt of what the register unpacks for an import; not where a person did.

    The files themselves are unknown before, so the receipt with the archive's hash stands for them.
    """
    root = Path(getattr(options, "root", "."))
    name = entry_of(root)
    if name is None or (root.exists() and not is_unpacked(name)):
        return []
    return [str(unpacked_receipt_of(name))]


def recipe_weights(wildcards):
    """Return what stands for the weights of a recipe's CLIP and SAM."""
    found = weights.recipe_weights(PARAMS, *_place(wildcards), wildcards.recipe)
    return [weights_source(place) for place in found]


def teacher_weights(wildcards):
    """Return what stands for the weights of the networks by which a teacher follows regions."""
    found = weights.teacher_weights(PARAMS, wildcards.teacher)
    return [weights_source(place) for place in found]


def selection_weights(wildcards):
    """Return what stands for the weights of the networks that tell where to click."""
    found = weights.selection_weights(PARAMS, *_place(wildcards))
    return [weights_source(place) for place in found]


def weights_source(place):
    """Return what a job that reads weights waits for: the receipt where the register has them.

    Where only a person can get them that is the file, once it is there; the receipt's rule says
    how to get it.
    """
    name = entry_of(place)
    by_hand = name is None or (not entry_named(name).urls and place.exists())
    return str(place if by_hand else receipt_of(name))


def lpips_weights():
    """Return the receipt of LPIPS's backbone where a suite fetches things anyway.

    Other suites need no network: they score LPIPS where its weights happen to be.
    """
    return (
        [str(receipt_of(f"lpips_{PARAMS.evaluate.lpips_net}"))] if needs(PARAMS) else []
    )


def figures_of(scope):
    """Return a wildcard's pattern of the figures of a scope: run, scene or suite."""
    names = [n for n, f in PARAMS.figures.items() if figure_kind(f.kind).SCOPE == scope]
    return "|".join(names) or "(?!)"  # matches nothing


def over_shown(name, *patterns):
    """Fill the patterns for every run that a figure shows, each result once."""
    shown = shown_runs(PARAMS, name)
    return sorted({p.format(**run._asdict()) for p in patterns for run in shown})


def figure_files():
    """Return the files of all figures of the suite."""
    found = []
    for name in PARAMS.suites[SUITE].figures:
        kind = figure_kind(PARAMS.figures[name].kind)
        # A table says what is missing even where it shows nothing.
        if kind.SCOPE == "trainings":
            found.append(f"paper_figures/{SUITE}/{name}.{kind.EXTENSION}")
            continue
        stems = {
            "run": "{name}/{{dataset}}/{{scene}}/{{seed}}",
            "scene": "{name}/{{dataset}}/{{scene}}",
        }
        stem = stems.get(kind.SCOPE, "{name}").format(name=name)
        found += over_shown(name, f"paper_figures/{SUITE}/{stem}.{kind.EXTENSION}")
    return found


def figure_needs(name):
    """Return the patterns of what a figure reads, its settings and recipes filled in."""
    figure = PARAMS.figures[name]
    needs = list(figure_kind(figure.kind).NEEDS)
    settings, recipes = shown_settings(PARAMS, name), figure.recipes.values()
    for mark, names in (("{setting}", settings), ("{recipe}", recipes)):
        needs = [
            pattern.replace(mark, name)
            for pattern in needs
            for name in (names if mark in pattern else [""])
        ]
    return needs


def figure_inputs(wildcards):
    """Return the results that a figure reads."""
    kind = figure_kind(figure_kind_name(wildcards))
    if kind.SCOPE == "trainings":
        shown = shown_trainings(PARAMS, wildcards.figure)
        return sorted({n.format(**t._asdict()) for n in kind.NEEDS for t in shown})
    needs = figure_needs(wildcards.figure)
    if hasattr(wildcards, "scene"):
        return [pattern.format(**wildcards) for pattern in needs]
    return over_shown(wildcards.figure, *needs)


def figure_runs(wildcards):
    """Name the runs that a figure shows, its scene, or its trainings."""
    if figure_kind(figure_kind_name(wildcards)).SCOPE == "trainings":
        shown = shown_trainings(PARAMS, wildcards.figure)
        return training_names(shown)
    if hasattr(wildcards, "seed"):
        return f"{wildcards.dataset}/{wildcards.scene}/{wildcards.seed}"
    if hasattr(wildcards, "scene"):
        return f"{wildcards.dataset}/{wildcards.scene}"
    return ["/".join(map(str, run)) for run in shown_runs(PARAMS, wildcards.figure)]


def figure_kind_name(wildcards):
    """Return the kind of a figure."""
    return PARAMS.figures[wildcards.figure].kind


def figure_about(wildcards):
    """Return what a kind of figure shows, as its file says."""
    return figure_kind(figure_kind_name(wildcards)).__doc__.splitlines()[0]


def figure_options(wildcards):
    """Return a figure's options as JSON in the order of the file: it can mean something.

    Of the settings those that the suite trains.
    """
    options = PARAMS.figures[wildcards.figure].options
    if "settings" in options:
        shown = shown_settings(PARAMS, wildcards.figure)
        options = options | {"settings": {n: options["settings"][n] for n in shown}}
    return json.dumps(options)


def figure_code(wildcards):
    """Return the fingerprint of what draws a figure, and of the tables that define one."""
    kind = figure_kind(figure_kind_name(wildcards))
    definitions = PUBLISHED if kind.SCOPE == "trainings" else ""
    return fingerprint(kind.__name__) + definitions
