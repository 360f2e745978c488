"""What jobs read, and what they are told: functions of their wildcards; no rules here."""

import shlex
from pathlib import Path

from semsplat.data.register import entries as register
from semsplat.features.teachers import teacher_with_options
from semsplat.features.tracks import tracks_with_options
from semsplat.io import canonical_json
from semsplat.experiment import elsewhere
from semsplat.keys import FeaturesKey, GeometryKey, LessonsKey, TrainingKey
from semsplat.experiment.plan import weights
from semsplat.paths import FIELD_FILE, features_dir, geometry_dir, lessons_dir

SPLAT_FILES = ("point_cloud.ply", "run.json")
"""What it takes to render what was fitted."""


def options_json(wildcards):
    """Return the importer's options of one scene as canonical JSON."""
    return canonical_json(
        runs.scene_options(PARAMS, wildcards.dataset, wildcards.scene)
    )


def geometry_config(wildcards):
    """Return the effective parameters of one geometry run as JSON."""
    return runs.geometry_job(PARAMS, geometry_key(wildcards)).model_dump_json()


def geometry_key(wildcards):
    """Return the address of a geometry run."""
    return GeometryKey(*_place(wildcards), int(wildcards.seed))


def features_config(wildcards):
    """Return a recipe with its models as JSON."""
    return _features_job(wildcards).model_dump_json()


def segmenter_code(wildcards):
    """Return the fingerprint of a recipe's segmenter, which is imported by name."""
    kind = _features_job(wildcards).recipe.segmenter.kind
    return fingerprint(f"semsplat.features.segmenters.{kind}")


def _features_job(wildcards):
    return recipes.features_job(
        PARAMS, FeaturesKey(*_place(wildcards), wildcards.recipe, wildcards.seed)
    )


def teacher_config(wildcards):
    """Return a teacher as JSON."""
    run = LessonsKey(*_place(wildcards), wildcards.teacher, int(wildcards.seed))
    return runs.lessons_job(PARAMS, run).model_dump_json()


def teacher_code(wildcards):
    """Return the fingerprint of a teacher and of its kinds, which are imported by name."""
    modules = [kind.__name__ for kind, _ in _teacher_kinds(wildcards)]
    return fingerprint("semsplat.features.teach", *modules)


def teacher_features(wildcards):
    """Return the features that a teacher reads, if it reads any."""
    return _features_of(wildcards, recipes.teacher_recipe(PARAMS, wildcards.teacher))


def setting_features(wildcards):
    """Return the features that a setting's method or its teacher reads, if either does."""
    return _features_of(wildcards, recipes.setting_recipe(PARAMS, wildcards.setting))


def _features_of(wildcards, recipe):
    if recipe is None:
        return []
    whose = recipes.seed_of(PARAMS, recipe, wildcards.seed)
    return [str(features_dir(*_place(wildcards), recipe, whose) / "manifest.json")]


def teacher_geometry(wildcards):
    """Return the geometry whose rendered depth a teacher's tracks follow, if they do."""
    kind, options = _teacher_kinds(wildcards)[1]
    needed = kind.needs_geometry(options)
    return _geometry_files(wildcards, wildcards.seed if needed else None)


def setting_geometry(wildcards):
    """Return the geometry that a setting's method leaves as it is, if it does."""
    frozen = runs.is_frozen(PARAMS, wildcards.setting)
    return _geometry_files(wildcards, wildcards.seed if frozen else None)


def recipe_geometry(wildcards):
    """Return the geometry whose rendered depth a recipe's prompts follow, if they do."""
    return _geometry_files(wildcards, _features_job(wildcards).seed)


def _geometry_files(wildcards, seed):
    """Return what a geometry run leaves to render with, nothing where the seed is None."""
    folder = geometry_dir(*_place(wildcards), seed)
    return [] if seed is None else [str(folder / name) for name in SPLAT_FILES]


def teacher_maps(wildcards):
    """Return the label and id maps on disk that a teacher reads."""
    return tracked(_maps_of_teacher(wildcards))


def teacher_others(wildcards):
    """Return what stands for the maps that a teacher reads and Snakemake cannot name."""
    return untracked(_maps_of_teacher(wildcards))


def _maps_of_teacher(wildcards):
    folders = [
        Path(f) for k, options in _teacher_kinds(wildcards) for f in k.folders(options)
    ]
    return [path for folder in folders for path in folder.rglob("*.png")]


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
    return runs.training_job(PARAMS, _training(wildcards)).model_dump_json()


def method_code(wildcards):
    """Return the fingerprint of a setting's method, which is imported by name."""
    method = PARAMS.settings[wildcards.setting].method
    return fingerprint(f"semsplat.train.methods.{method}")


def train_code(wildcards):
    """Return the fingerprint of all that a training computes with."""
    method = PARAMS.settings[wildcards.setting].method
    return fingerprint("semsplat.train.run", f"semsplat.train.methods.{method}")


def external_config(wildcards):
    """Return what the import of predictions that were made elsewhere is told, as JSON."""
    return runs.external_job(PARAMS, _training(wildcards)).model_dump_json()


def given_files(wildcards):
    """Return the files of predictions that were made elsewhere, and their author's card."""
    return tracked(elsewhere.given_files(PARAMS, _training(wildcards)))


def given_others(wildcards):
    """Return what stands for those of these files that Snakemake cannot name."""
    return untracked(elsewhere.given_files(PARAMS, _training(wildcards)))


def setting_curve(wildcards):
    """Return the curves of a training; what was made elsewhere has none."""
    if wildcards.setting in PARAMS.external:
        return []
    return str(_training(wildcards).folder / "metrics.jsonl")


def curve_option(wildcards, input):
    """Return the argument that names a run's curves, if it has any."""
    curve = input.get("curve")
    return f"--curve {shlex.quote(str(curve))}" if curve else ""


def setting_lessons(wildcards):
    """Return the lessons that a setting learns from, if it has a teacher."""
    teacher = runs.setting_teacher(PARAMS, wildcards.setting)
    if teacher is None:
        return []
    folder = lessons_dir(*_place(wildcards), teacher, wildcards.seed)
    return [str(folder / "manifest.json")]


def asked_model(wildcards):
    """Return what is asked: a training, or the geometry."""
    run = _training(wildcards)
    further = () if run.setting == GEOMETRY else (FIELD_FILE,)
    return [str(run.folder / name) for name in (*SPLAT_FILES, *further)]


def asked_features(wildcards):
    """Return the features by which a training is asked, if any answer reads them."""
    read = "features" in asked.reads(PARAMS, wildcards.setting, "PREDICTS_FROM")
    return setting_features(wildcards) if read else []


def asked_weights(wildcards):
    """Return what stands for the weights of the networks that answers ask."""
    found = weights.answer_weights(PARAMS, _training(wildcards))
    return [weights_source(place) for place in found]


def scored_lessons(wildcards):
    """Return the lessons with which predictions are compared, if any answer reads them."""
    read = "lessons" in asked.reads(PARAMS, wildcards.setting, "SCORES_WITH")
    return setting_lessons(wildcards) if read else []


def predict_told(wildcards):
    """Return what the answers of a training are told to predict, as JSON."""
    return _as_json(asked.predict_options(PARAMS, _training(wildcards)))


def score_told(wildcards):
    """Return what the answers of a setting are told to score, as JSON."""
    return _as_json(asked.score_options(PARAMS, wildcards.setting))


def _as_json(options):
    return canonical_json({name: told.model_dump() for name, told in options.items()})


def _training(wildcards):
    return TrainingKey(*_place(wildcards), wildcards.setting, int(wildcards.seed))


def recipe_weights(wildcards):
    """Return what stands for the weights of a recipe's CLIP, SAM and DINO."""
    found = weights.recipe_weights(_features_job(wildcards))
    return [weights_source(place) for place in found]


def teacher_weights(wildcards):
    """Return what stands for the weights of the networks by which a teacher follows regions."""
    found = weights.teacher_weights(PARAMS, wildcards.teacher)
    return [weights_source(place) for place in found]


def weights_source(place):
    """Return what a job that reads weights waits for: the receipt where the register has them.

    Where only a person can get them that is the file, once it is there; the receipt's rule says
    how to get it.
    """
    name = register.entry_of(place)
    by_hand = name is None or (not register.entry_named(name).urls and place.exists())
    return str(place if by_hand else register.receipt_of(name))
