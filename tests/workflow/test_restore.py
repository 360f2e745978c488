"""A clone goes back to the recorded state without computing."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.workflow.project import (
    FROZEN,
    MASKED,
    SCENES,
    SETTINGS,
    Project,
    data_jobs,
    feature_jobs,
    frozen_jobs,
    level_jobs,
    masked_jobs,
    run_jobs,
    taught_jobs,
)

FOLDERS = ("evaluate", "features", "figures", "geometry", "lessons", "train")
RESULTS = ("data", "paper_figures/smoke", *(f"results/{name}" for name in FOLDERS))
TRAINED = (*SETTINGS, *FROZEN, *MASKED)
INDEX = {f"index {what}, seed 0, in MLflow" for scene in SCENES
         for what in (scene, *(f"{name} on {scene}" for name in TRAINED))}  # fmt: skip
TABLE = "paper_figures/smoke/scores.md"


def clone(recorded: Project, root: Path) -> Project:
    recorded.run("git", "clone", "--quiet", ".", str(root))
    return Project(root)


def restore(project: Project, fails: bool = False) -> str:
    done = project.run(sys.executable, "-m", "semsplat.restore", fails=fails)
    return done.stdout + done.stderr


def test_a_clone_has_nothing_left_to_compute_after_restore(recorded: Project, tmp_path: Path):
    project = clone(recorded, tmp_path / "clone")
    assert not (project.root / "paper_figures/smoke").exists()  # git has none of this suite's
    assert restore(project) == "restored: the results in place are the recorded ones\n"
    assert project.hashes(*RESULTS) == recorded.hashes(*RESULTS)
    assert "up to date" in project.run("dvc", "status").stdout
    assert project.plan() == INDEX
    project.edit("params.yaml", "nook: {seed: 7,", "nook: {seed: 9,")
    stale = data_jobs(SCENES[0]) | run_jobs(SCENES[0]) | feature_jobs(SCENES[0])
    stale |= taught_jobs(SCENES[0]) | level_jobs(SCENES[0]) | frozen_jobs(SCENES[0])
    stale |= masked_jobs(SCENES[0])
    assert stale < project.plan()


def test_figures_in_git_have_to_be_the_recorded_ones(recorded_project: Project, tmp_path: Path):
    recorded_project.run("git", "add", "--force", TABLE)
    recorded_project.run("git", "commit", "--quiet", "--message", "Keep a table")
    project = clone(recorded_project, tmp_path / "clone")
    (project.root / TABLE).write_text(project.read(TABLE) + "\n")
    said = restore(project, fails=True)
    assert said.startswith(f"error: {TABLE}: not the recorded one")
    assert not (project.root / ".snakemake/metadata").exists()
    project.run("git", "checkout", "--quiet", TABLE)
    restore(project)
    assert project.hashes(*RESULTS) == recorded_project.hashes(*RESULTS)
    assert project.plan() == INDEX


def test_a_clone_that_differs_from_the_record_is_not_marked_as_done(
    recorded: Project, tmp_path: Path
):
    project = clone(recorded, tmp_path / "clone")
    project.edit("params.yaml", "sh0: 2.5e-3", "sh0: 3.0e-3")
    said = restore(project, fails=True)
    assert said.startswith("error: dvc status: geometry, train differ from dvc.lock")
    assert not (project.root / ".snakemake/metadata").exists()
