"""A scene that fails stops no other scene, and only what is missing is repaired."""

from __future__ import annotations

import shutil

from tests.workflow.project import SCENES, SUITE_JOBS, Project, run_jobs

GOOD, BAD = SCENES


def test_the_other_scene_is_finished_and_the_repair_runs_only_what_is_missing(project: Project):
    (image,) = (project.root / f"data/native/{BAD}").rglob("depth_3.png")
    kept = image.read_bytes()
    image.unlink()
    shutil.rmtree(project.root / "data" / BAD)
    score = f"results/evaluate/{GOOD}/geometry/0/scores.json"
    (project.root / score).unlink()
    before = project.hashes("results/geometry")

    said = project.snakemake(fails=True)
    log = project.read(f"logs/data/{BAD}.log")
    assert log.count("\n") == 1 and log.startswith("error: ") and "depth_3.png" in log
    assert log in said  # a failed log is shown
    assert "Traceback" not in said
    assert (project.root / score).exists()
    assert not (project.root / "data" / BAD).exists()
    assert project.hashes("results/geometry") == before

    image.write_bytes(kept)
    assert project.plan() == {f"import {BAD}"} | run_jobs(BAD) | SUITE_JOBS | {
        f"index {GOOD}, seed 0, in MLflow",
        f"draw paper_figures/smoke/views/{GOOD}/0.png",
    }
    project.snakemake("data")
    assert "Nothing to be done" in project.snakemake("--dry-run", "data")
