"""The smallest suite from nothing to figures."""

from __future__ import annotations

import shutil
import sys

import cv2
import numpy as np
import pytest

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.io import read_json, write_json
from tests.workflow.project import (
    EVERYTHING,
    FROZEN,
    MASKED,
    PAGE,
    SCENES,
    SETTINGS,
    SUITE_FIGURES,
    TABLES,
    Project,
    checkout,
    feature_figures,
    frozen_figures,
    masked_figures,
)

PREPARED = (
    "geometry/{}/0",
    "features/{}/regions/all",
    "features/{}/granular/0",
    "lessons/{}/clip/0",
)
TRAININGS = ("train/{}/clipgs_d/0", "train/{}/gags/0", "train/{}/cgc/0")
# As the rule of trainings has it: with more threads torch adds in another order.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
FOLDERS = {".snakemake", "data", "logs", "mlflow.db", "mlruns", "paper_figures", "results"}


def test_a_dry_run_works_before_anything_exists(tmp_path):
    assert checkout(tmp_path).plan() == EVERYTHING


def test_the_scene_of_the_page_is_of_the_suites_first_seed(tmp_path):
    project, scaler = checkout(tmp_path), "    steps_scaler: 0.03 # ten"
    project.edit("params.yaml", f"    seeds: [0]\n{scaler}", f"    seeds: [7, 0]\n{scaler}")
    scene = "paper_figures/demo/splats/procedural/room.json"
    asked = ("--dry-run", "--printshellcmds", scene, "--config", "suite=demo")
    done = project.run("snakemake", *asked)
    said = done.stdout + done.stderr
    (command,) = [line for line in said.splitlines() if f"--out {scene}" in line]
    assert '"seed": 7' in command and '"recipe": "levels/all"' in command
    assert "results/train/procedural/room/cgc/7/semantics.safetensors" in said
    assert "results/train/procedural/room/cgc/0/" not in said


def test_every_figure_score_card_and_stamp_is_made(finished: Project):
    figures = {job.removeprefix("draw ") for job in SUITE_FIGURES}
    figures |= {f"paper_figures/smoke/views/{scene}/0.png" for scene in SCENES}
    drawn = {job for scene in SCENES for job in feature_figures(scene)}
    figures |= {job.removeprefix("draw ") for job in drawn}
    figures |= {f"paper_figures/smoke/clipgs_maps/{scene}/0.png" for scene in SCENES}
    asked = {job for s in SCENES for job in frozen_figures(s) | masked_figures(s)}
    figures |= {job.removeprefix("draw ") for job in asked}
    tables = [job.removeprefix("draw ").removesuffix("md") for job in TABLES]
    figures |= {f"{table}{suffix}" for table in tables for suffix in ("csv", "tex")}
    figures |= {PAGE.removeprefix("write ")}
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
        labels = finished.json(f"results/evaluate/{scene}/features/regions/all/scores.json")[
            "metrics"
        ]
        assert 0 < labels["region_accuracy"] < 1  # neither nothing nor the ground truth
        assert metrics[dataset][name]["features_regions"] == pytest.approx(labels, abs=1e-6)
        for setting in ("geometry", *SETTINGS, *FROZEN, *MASKED):
            assert finished.json(f"mlruns/.logged/{scene}/{setting}/0.json")["run_id"]
        for setting in SETTINGS:
            card = finished.json(f"results/train/{scene}/{setting}/0/run.json")
            assert card["numbers"]["semantic_dim"] == {"clipgs_a": 64, "clipgs_d": 3}[setting]
            scores = finished.json(f"results/evaluate/{scene}/{setting}/0/scores.json")["metrics"]
            assert 0 < scores["miou"] < 1 and 0 < scores["teacher_miou"] < 1
            assert metrics[dataset][name][setting] == pytest.approx(scores, abs=1e-6)
        for setting in FROZEN:
            card = finished.json(f"results/train/{scene}/{setting}/0/run.json")
            assert set(card["inputs"]) == {"scene", "features", "geometry"}
            scores = finished.json(f"results/evaluate/{scene}/{setting}/0/scores.json")["metrics"]
            assert 0 < scores["query_miou"] < 1 and 0 < scores["train_query_miou"] < 1
            assert metrics[dataset][name][setting] == pytest.approx(scores, abs=1e-6)
        for setting in MASKED:
            card = finished.json(f"results/train/{scene}/{setting}/0/run.json")
            assert set(card["inputs"]) == {"scene", "features"}
            scores = finished.json(f"results/evaluate/{scene}/{setting}/0/scores.json")
            assert 0 < scores["metrics"]["points_mask_miou"] < 1
            assert scores["grounders"]["points"]["pairs"] > 0
            assert metrics[dataset][name][setting] == pytest.approx(scores["metrics"], abs=1e-6)
            splats = finished.hashes(f"results/evaluate/{scene}/{setting}/0/clusters")
            assert any(path.endswith("objects/0.ply") for path in splats)
    speed = finished.json("results/speed.json")["runs"]
    settings = (*SETTINGS, *FROZEN, *MASKED)
    assert set(speed) == {f"{scene}/{setting}/0" for scene in SCENES for setting in settings}


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


@pytest.mark.parametrize(
    ("setting", "follows"),
    [("clipgs_a", True), ("cgc", True), ("clipgs_d", False), ("gags", False)],
)
def test_whose_steps_of_geometry_are_recorded_follows_them(finished: Project, setting, follows):
    for scene in SCENES:
        numbers = finished.json(f"results/train/{scene}/{setting}/0/run.json")["numbers"]
        assert ("recorded_s" in numbers) is follows


def test_jobs_run_the_code_of_their_own_checkout(project: Project):
    project.edit(
        "src/semsplat/figures/scores.py", "\ndef draw(", "\nraise OSError('marked')\ndef draw("
    )
    table = "paper_figures/smoke/scores.md"
    for foreign in ("", "/nowhere"):
        said = project.snakemake("--forcerun", "--", table, fails=True, PYTHONPATH=foreign)
        assert "marked" in said


def test_the_truth_of_a_scene_reaches_no_training(project: Project, finished: Project):
    """Labels become noise; what is taught and trained from the same images stays as it was."""
    scene = SCENES[0]
    folder = project.root / "data" / scene
    rng = np.random.default_rng(0)
    for kind in ("labels", "instances", "parts"):
        for path in (folder / kind).rglob("*.png"):
            shape = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape
            write_png(path, rng.integers(1, 3, shape).astype(np.uint16))
    for path in (folder / "annotations").rglob("*.json"):
        write_json(path, read_json(path) | {"objects": []})
    write_manifest(folder, {"dataset": "procedural", "scene": "nook"})
    shutil.rmtree(project.root / "scratch/features")
    for place in (*PREPARED, *TRAININGS):
        card = f"results/{place.format(scene)}/run.json"
        _, *words = project.json(card)["command"]
        project.run(sys.executable, *words, **(ONE_THREAD if place in TRAININGS else {}))
        assert project.json(card)["inputs"]["scene"] != finished.json(card)["inputs"]["scene"]
    places = [f"results/{phase}/{scene}" for phase in ("features", "geometry", "train")]
    kinds = (".ply", ".safetensors", ".npz")
    before, after = (
        {path: key for path, key in which.hashes(*places).items() if path.endswith(kinds)}
        for which in (finished, project)
    )
    assert before == after
    assert all(any(setting in path for path in after) for setting in ("clipgs_d", "gags", "cgc"))


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("clipgs_table1.md:CLIP-GS:miou@procedural", "results/train/{}/clipgs_d/0/run.json"),
        ("clipgs_details.md:clipgs_d:train_s@procedural", "results/train/{}/clipgs_d/0/run.json"),
        ("gags_details.md:gags:query_miou@procedural", "results/features/{}/granular/0/run.json"),
    ],
)
def test_a_number_leads_to_the_commit_and_through_unbroken_digests(
    finished: Project, cell: str, path: str
):
    address = f"paper_figures/smoke/{cell}"
    said = finished.run(sys.executable, "-m", "semsplat.cli", "trace", address).stdout
    commit = finished.run("git", "rev-parse", "HEAD").stdout.strip()
    assert said.count(f"commit {commit}, code") >= 2 * len(SCENES)
    for scene in SCENES:
        for made_from in (path.format(scene), f"data/{scene}/manifest.json"):
            assert made_from in said


def test_a_score_of_colours_leads_to_its_geometry(finished: Project):
    address = f"paper_figures/smoke/scores.md:{SCENES[0]}:psnr"
    said = finished.run(sys.executable, "-m", "semsplat.cli", "trace", address).stdout
    assert f"results/geometry/{SCENES[0]}/0/run.json" in said


def test_the_page_holds_every_figure_and_every_training(finished: Project):
    text = finished.read("paper_figures/smoke/index.html")
    for job in SUITE_FIGURES | feature_figures(SCENES[0]):
        assert f'"{job.removeprefix("draw paper_figures/smoke/")}"' in text
    for scene in SCENES:
        for setting in (*SETTINGS, *FROZEN, *MASKED):
            assert f'id="run-{scene}/{setting}/0"' in text
