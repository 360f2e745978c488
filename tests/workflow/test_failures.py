"""A scene that fails stops no other scene, and only what is missing is repaired."""

from __future__ import annotations

import shutil

from tests.workflow.project import (
    COLLECT,
    SCENES,
    SETTINGS,
    SPEED,
    Project,
    frozen_jobs,
    level_jobs,
    masked_jobs,
)

BAD = SCENES[1]


def test_the_other_scene_is_finished_and_the_repair_runs_only_what_is_missing(
    project: Project, finished: Project
):
    (image,) = (project.root / f"data/native/{BAD}").rglob("depth_3.png")
    kept = image.read_bytes()
    image.unlink()
    shutil.rmtree(project.root / "data" / BAD)
    good, bad = (f"results/evaluate/{scene}/geometry/0/scores.json" for scene in SCENES)
    for scores in (good, bad):
        (project.root / scores).unlink()
    before = project.hashes("results/geometry")

    said = project.snakemake("evaluate", fails=True)
    log = project.read(f"logs/data/{BAD}.log")
    assert log.count("\n") == 1 and log.startswith("error: ") and "depth_3.png" in log
    assert log in said  # a failed log is shown
    assert "Traceback" not in said
    assert (project.root / good).exists() and not (project.root / bad).exists()
    assert not (project.root / "data" / BAD).exists()
    assert project.hashes("results/geometry") == before

    image.write_bytes(kept)
    assert project.plan("evaluate") == {
        f"import {BAD}",
        f"reconstruct {BAD}, seed 0",
        f"ask geometry on {BAD}, seed 0",
        f"score geometry on {BAD}, seed 0",
        f"extract features regions/all of {BAD}",
        f"score features regions/all of {BAD}",
        f"teach {BAD} by clip, seed 0",
        *(f"{verb} {setting} on {BAD}, seed 0" for setting in SETTINGS
          for verb in ("train", "ask", "score")),
        *level_jobs(BAD),
        *(job for job in frozen_jobs(BAD) if job.split()[0] in ("train", "ask", "score")),
        *(job for job in masked_jobs(BAD) if job.split()[0] not in ("index", "draw")),
        COLLECT,
        SPEED,
    }  # fmt: skip
    manifest = f"data/{BAD}/manifest.json"
    project.snakemake(manifest)
    assert project.read(manifest) == finished.read(manifest)
