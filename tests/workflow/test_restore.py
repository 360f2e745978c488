"""A clone goes back to the recorded state without computing."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.workflow.project import (
    FROZEN,
    MASKED,
    PAGE,
    SCENES,
    SETTINGS,
    SUITE_FIGURES,
    Project,
    data_jobs,
    feature_figures,
    feature_jobs,
    frozen_figures,
    frozen_jobs,
    level_jobs,
    masked_figures,
    masked_jobs,
    run_jobs,
    taught_jobs,
)

RESULTS = ("data", "results/evaluate", "results/features", "results/geometry", "results/train")
TRAINED = (*SETTINGS, *FROZEN, *MASKED)
INDEX = {f"index {what}, seed 0, in MLflow" for scene in SCENES
         for what in (scene, *(f"{name} on {scene}" for name in TRAINED))}  # fmt: skip
VIEWS = {f"draw paper_figures/smoke/views/{scene}/0.png" for scene in SCENES}
FEATURES = {job for scene in SCENES for job in feature_figures(scene)}
MAPS = {f"draw paper_figures/smoke/clipgs_maps/{scene}/0.png" for scene in SCENES}
QUERIES = {job for scene in SCENES for job in frozen_figures(scene)}
SELECTIONS = {job for scene in SCENES for job in masked_figures(scene)}
FIGURES = SUITE_FIGURES | VIEWS | FEATURES | MAPS | QUERIES | SELECTIONS | {PAGE}


def clone(recorded: Project, root: Path) -> Project:
    recorded.run("git", "clone", "--quiet", ".", str(root))
    return Project(root)


def restore(project: Project, fails: bool = False) -> str:
    done = project.run(sys.executable, "-m", "semsplat.restore", fails=fails)
    return done.stdout + done.stderr


def test_a_clone_has_nothing_left_to_compute_after_restore(recorded: Project, tmp_path: Path):
    project = clone(recorded, tmp_path / "clone")
    assert "'snakemake --cores all' draws them" in restore(project)
    assert project.hashes(*RESULTS) == recorded.hashes(*RESULTS)
    assert project.plan() == INDEX | FIGURES  # this suite's figures are not kept in git
    project.edit("params.yaml", "nook: {seed: 7,", "nook: {seed: 9,")
    stale = data_jobs(SCENES[0]) | run_jobs(SCENES[0]) | feature_jobs(SCENES[0])
    stale |= taught_jobs(SCENES[0]) | level_jobs(SCENES[0]) | frozen_jobs(SCENES[0])
    stale |= masked_jobs(SCENES[0])
    assert stale < project.plan()


def test_only_the_index_is_missing_where_figures_are_in_git(
    recorded_project: Project, tmp_path: Path
):
    recorded_project.run("git", "add", "--force", "paper_figures/smoke")
    recorded_project.run("git", "commit", "--quiet", "--message", "Keep figures")
    project = clone(recorded_project, tmp_path / "clone")
    assert restore(project) == "restored: the results in place are the recorded ones\n"
    assert "up to date" in project.run("dvc", "status").stdout
    assert project.plan() == INDEX


def test_a_clone_that_differs_from_the_record_is_not_marked_as_done(
    recorded: Project, tmp_path: Path
):
    project = clone(recorded, tmp_path / "clone")
    project.edit("params.yaml", "sh0: 2.5e-3", "sh0: 3.0e-3")
    said = restore(project, fails=True)
    assert said.startswith("error: dvc status: geometry, train differ from dvc.lock")
    assert not (project.root / ".snakemake/metadata").exists()
