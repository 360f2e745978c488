"""Checked parameters, the suite's runs and limits; no rules here."""

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from snakemake.utils import min_version

min_version("9.19")
sys.path.insert(0, "src")
# Thousands of jobs refer to each other: looking through them for garbage as often as Python does
# costs a second of planning a large suite.
gc.set_threshold(100_000)

from semsplat.data.register.entries import entries
from semsplat.doctor import findings
from semsplat.figures.published import FOLDER, digest_of
from semsplat.fingerprint import fingerprint
from semsplat.gpu import visible_gpus
from semsplat.experiment import asked, recipes, records, runs
from semsplat.experiment.check import check_or_exit, with_plugins
from semsplat.experiment.elsewhere import refuse_incomplete
from semsplat.experiment.numbers import typed
from semsplat.io import parse_yaml
from semsplat.job import ADDRESS, ended, server
from semsplat.job.spent import mark_start
from semsplat.keys import ALL
from semsplat.paths import GEOMETRY, put_checkout_first
from semsplat.experiment.plan.screen import show_plan
from semsplat.track.index import index_name, missing_lines, tries

put_checkout_first()
if "{" in str(Path.cwd()):
    sys.exit(
        f"error: {Path.cwd()}: Snakemake takes braces for wildcards; rename the folder"
    )
PARAMS = check_or_exit(
    typed(with_plugins(config), parse_yaml(Path("params.yaml").read_text()))
)
SUITE = PARAMS.suite
RUNS = runs.geometry_keys(PARAMS)
FEATURES_KEYS = recipes.features_keys(PARAMS)
LESSONS_KEYS = runs.lessons_keys(PARAMS)
TRAINING_KEYS = runs.training_keys(PARAMS)
OWN_KEYS = runs.own_keys(PARAMS)
FOLLOWERS = records.followers(PARAMS)
NODE = PARAMS.node
THREADS = {  # of the jobs that take more than one
    "draw_world": min(4, NODE.cores),
    "measure_speed": NODE.cores,
}
RUNTIME = {  # of the jobs that take long; the profile says it of the others
    "reconstruct": "2h",
    "train_run": "4h",
    "extract_features": "4h",
    "train_network": "3h",
}
PRIORITY = {  # what others wait for goes first, then what takes long
    "reconstruct": 2,
    "extract_features": 2,
    "teach_scene": 2,
    "train_run": 1,
}
PUBLISHED = digest_of(FOLDER)
FEATURES_CACHE = "scratch/features"
SEED_OR_ALL = rf"\d+|{ALL}"


def pattern(names):
    """Return a wildcard's pattern of some names; of none it matches nothing."""
    return "|".join(names) or "(?!)"


SETTING = pattern(PARAMS.shown)
if workflow.is_main_process:
    show_plan(PARAMS, workflow.output_settings.dryrun)
    refuse_incomplete(PARAMS)

# Without a limit Snakemake starts one GPU job per core; --resources gpu=N still wins.  Where there
# is no GPU, cores are the limit.  MLflow's store has one writer.  Kept out of the profile:
# --resources would replace the whole map there.
if visible_gpus():
    workflow.global_resources.setdefault("gpu", len(visible_gpus()))
workflow.global_resources.setdefault("mlflow", 1)


resource_scopes:
    gpu="local",


# Cores are limit enough on one machine.  Under its limit of jobs per second Snakemake asks for jobs
# once more each second for every job that ever ended: a quarter of a core after 200 jobs.
# The attribute is private; so pyproject.toml allows no Snakemake that this was not tried with.
onstart:
    if workflow.local_exec and visible_gpus():
        examine_gpus()
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
        stop_jobs_too()
        serve_jobs()
        mark_start(workflow.cores)


def examine_gpus():
    """Stop before the first job where what its GPU needs is missing."""
    wrong = [str(finding) for finding in findings() if not finding.good]
    if wrong:
        sys.exit(
            "\n".join([*wrong, "error: not ready for GPU jobs; see semsplat doctor"])
        )


def serve_jobs():
    """Let jobs be forks of processes that have imported their libraries: each would take seconds.

    Not where jobs have another environment, or forks are unsafe.
    """
    if sys.platform == "linux" and not workflow.deployment_settings.deployment_method:
        os.environ[ADDRESS], workflow.fork_server = server.start()


def stop_jobs_too():
    """Pass SIGTERM on to the jobs: alone, Snakemake waits until they have ended by themselves."""
    finish = signal.getsignal(signal.SIGTERM)

    def stop(number, frame):
        for job in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                job.terminate()
        finish(number, frame)

    signal.signal(signal.SIGTERM, stop)


wildcard_constraints:
    dataset="|".join(PARAMS.datasets),
    scene="[a-z0-9_]+",
    seed=r"\d+",
    suite="|".join(PARAMS.suites),
    figure="|".join(PARAMS.figures),
    recipe="|".join(PARAMS.features.recipes),
    teacher="|".join(PARAMS.features.teachers),
    setting=SETTING,


def over(keys, *patterns):
    """Fill the patterns for every key, each result once."""
    return sorted({p.format(**key._asdict()) for p in patterns for key in keys})


def over_clusters():
    """Return the clusters that the suite's figures show, each once."""
    names = PARAMS.suites[SUITE].figures
    needs = [
        (name, n) for name in names for n in figure_needs(name) if "/clusters/" in n
    ]
    return sorted(
        {p for name, need in needs for p in over(runs.shown_runs(PARAMS, name), need)}
    )


def tracked(paths):
    """Return the paths that Snakemake can name: it takes what stands in braces for a wildcard."""
    return sorted(str(path) for path in paths if "{" not in str(path))


def untracked(paths):
    """Return how the other paths look: a parameter, so that a change of them is noticed too."""
    others = sorted(path for path in map(Path, paths) if "{" in str(path))
    return [f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in others]


def training_names(trainings):
    """Return dataset/scene/setting/seed of each training."""
    return ["/".join(map(str, training)) for training in trainings]
