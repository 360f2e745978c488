"""Checked parameters, the suite's runs, limits and helpers; no rules here."""

import json
import sys

from snakemake.utils import min_version

min_version("9.19")
sys.path.insert(0, "src")

from semsplat.data.datasets import importer
from semsplat.figures import figure_kind
from semsplat.fingerprint import fingerprint
from semsplat.gpu import visible_gpus
from semsplat.io import canonical_json
from semsplat.params.check import check_or_exit
from semsplat.params.networks import ClipRun, SamRun
from semsplat.params.quality import QualityRun, TuningRun
from semsplat.paths import put_checkout_first
from semsplat.params.runs import (
    Run,
    feature_runs,
    features_run,
    geometry_run,
    runs,
    scene_options,
)
from semsplat.track.index import drop_orphaned_stamps

put_checkout_first()
PARAMS = check_or_exit(config)
SUITE = PARAMS.suite
RUNS = runs(PARAMS)
FEATURE_RUNS = feature_runs(PARAMS)
drop_orphaned_stamps()

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


def over_runs(*patterns):
    """Fill the patterns for every run of the suite, each result once."""
    return sorted({p.format(**run._asdict()) for p in patterns for run in RUNS})


def over_features(pattern):
    """Fill the pattern for every scene and recipe that the suite's figures show."""
    return [pattern.format(**run._asdict()) for run in FEATURE_RUNS]


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


def importer_name(wildcards):
    """Return the importer of a data set."""
    return PARAMS.datasets[wildcards.dataset].importer


def scene_sources(wildcards):
    """Return the files an import reads: a drawn world, or what lies on disk."""
    source = importer(importer_name(wildcards))
    if hasattr(source, "draw"):
        return f"data/native/{wildcards.dataset}/{wildcards.scene}/manifest.json"
    merged = scene_options(PARAMS, wildcards.dataset, wildcards.scene)
    return source.sources(source.Options.model_validate(merged))


def figures_of(scope):
    """Return a wildcard's pattern of the figures of a scope: run, scene or suite."""
    names = [n for n, f in PARAMS.figures.items() if figure_kind(f.kind).SCOPE == scope]
    return "|".join(names) or "(?!)"  # matches nothing


def figure_files():
    """Return the files of all figures of the suite."""
    found = []
    for name in PARAMS.suites[SUITE].figures:
        kind = figure_kind(PARAMS.figures[name].kind)
        folder = f"paper_figures/{SUITE}/{name}"
        if kind.SCOPE == "run":
            found += over_runs(
                f"{folder}/{{dataset}}/{{scene}}/{{seed}}.{kind.EXTENSION}"
            )
        elif kind.SCOPE == "scene":
            found += over_runs(f"{folder}/{{dataset}}/{{scene}}.{kind.EXTENSION}")
        else:
            found.append(f"{folder}.{kind.EXTENSION}")
    return found


def figure_inputs(wildcards):
    """Return the results that a figure reads."""
    figure = PARAMS.figures[wildcards.figure]
    needs = figure_kind(figure.kind).NEEDS
    if hasattr(wildcards, "scene"):
        values = {**dict(wildcards), "recipe": figure.options.get("recipe")}
        return [pattern.format(**values) for pattern in needs]
    return over_runs(*needs)


def figure_runs(wildcards):
    """Return dataset/scene/seed of the runs that a figure shows, or dataset/scene of its scene."""
    if hasattr(wildcards, "seed"):
        return f"{wildcards.dataset}/{wildcards.scene}/{wildcards.seed}"
    if hasattr(wildcards, "scene"):
        return f"{wildcards.dataset}/{wildcards.scene}"
    return ["/".join(map(str, run)) for run in RUNS]


def figure_kind_name(wildcards):
    """Return the kind of a figure."""
    return PARAMS.figures[wildcards.figure].kind


def figure_options(wildcards):
    """Return a figure's options as JSON in the order of the file: it can mean something."""
    return json.dumps(PARAMS.figures[wildcards.figure].options)


def figure_code(wildcards):
    """Return the fingerprint of what draws a figure."""
    return fingerprint(f"semsplat.figures.{figure_kind_name(wildcards)}")
