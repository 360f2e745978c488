"""The smallest suite from nothing to figures."""

from __future__ import annotations

import pytest

from tests.workflow.project import (
    EVERYTHING,
    SCENES,
    SUITE_FIGURES,
    Project,
    checkout,
    feature_figures,
)

FOLDERS = {".snakemake", "data", "logs", "mlflow.db", "mlruns", "paper_figures", "results"}


def test_a_dry_run_works_before_anything_exists(tmp_path):
    assert checkout(tmp_path).plan() == EVERYTHING


def test_every_figure_score_card_and_stamp_is_made(finished: Project):
    figures = {job.removeprefix("draw ") for job in SUITE_FIGURES}
    figures |= {f"paper_figures/smoke/views/{scene}/0.png" for scene in SCENES}
    drawn = {job for scene in SCENES for job in feature_figures(scene)}
    figures |= {job.removeprefix("draw ") for job in drawn}
    assert set(finished.hashes("paper_figures/smoke")) == figures
    assert all((finished.root / figure).stat().st_size > 100 for figure in figures)
    metrics = finished.json("results/metrics.json")
    for scene in SCENES:
        dataset, name = scene.split("/")
        card = finished.json(f"results/geometry/{scene}/0/run.json")
        assert (card["config"]["dataset"], card["config"]["scene"]) == (dataset, name)
        scores = finished.json(f"results/evaluate/{scene}/geometry/0/scores.json")
        assert scores["metrics"]["psnr"] > 10
        assert metrics[dataset][name]["geometry"] == pytest.approx(scores["metrics"], abs=1e-6)
        labels = finished.json(f"results/evaluate/{scene}/features/regions/scores.json")["metrics"]
        assert 0 < labels["region_accuracy"] < 1  # neither nothing nor the ground truth
        assert metrics[dataset][name]["features_regions"] == pytest.approx(labels, abs=1e-6)
        assert finished.json(f"mlruns/.logged/{scene}/geometry/0.json")["run_id"]


def test_a_second_call_has_nothing_to_do(finished: Project):
    before = finished.hashes("data", "results", "paper_figures", "mlruns")
    assert "Nothing to be done" in finished.snakemake()
    assert finished.hashes("data", "results", "paper_figures", "mlruns") == before


def test_every_job_leaves_a_log(finished: Project):
    assert len(finished.hashes("logs")) == len(EVERYTHING)


def test_nothing_is_left_over_and_nothing_lies_outside_the_folders(finished: Project):
    assert not [path for path in finished.root.rglob("*.partial*")]
    scratch = {path for path in finished.hashes("scratch") if "/features/" not in path}
    assert {path.split("/")[-1] for path in scratch} == {"0.lock"}
    status = finished.run("git", "status", "--porcelain", "--ignored", "--untracked-files=all")
    written = {line[3:].strip('"') for line in status.stdout.splitlines()}
    places = {path.split("/")[0] for path in written if "__pycache__" not in path}
    assert places == FOLDERS | {"scratch"}
    figures = {path for path in written if path.startswith("paper_figures")}
    assert all(path.startswith("paper_figures/smoke/") for path in figures)


def test_jobs_run_the_code_of_their_own_checkout(project: Project):
    project.edit(
        "src/semsplat/figures/scores.py", "\ndef draw(", "\nraise OSError('marked')\ndef draw("
    )
    table = "paper_figures/smoke/scores.md"
    for foreign in ("", "/nowhere"):
        said = project.snakemake("--forcerun", "--", table, fails=True, PYTHONPATH=foreign)
        assert "marked" in said
