"""The report, the pictures of the workflow, the cluster's view of it, and a typo."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.workflow.project import REFEREE, SCENES, SUITE_FIGURES, Project, feature_figures

MESSAGE = """    message:
        "reconstruct {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
"""


def test_the_report_holds_every_figure_with_a_caption(project: Project):
    project.run("snakemake", "--report", "report.zip")
    with zipfile.ZipFile(project.root / "report.zip") as report:
        names = report.namelist()
        text = "".join(report.read(n).decode() for n in names if n.endswith((".html", ".js")))
    figures = [job.split("/")[-1] for job in SUITE_FIGURES - REFEREE] + ["0.png"] * len(SCENES)
    figures += ["smoke.html"]  # the page, which holds the tables
    figures += [f"{Path(scene).name}.png" for scene in SCENES for _ in feature_figures(scene)]
    for figure in figures:
        assert sum(name.endswith(f"/{figure}") for name in names) >= figures.count(figure)
    for name in ("curves", "gaussians", "scores"):
        assert f"Figure <strong>{name}</strong> over all runs that it shows" in text
    assert "Held-out views of one run: photograph, render" in text
    assert "the verdict on every claim" in text
    assert "semsplat, suite <strong>smoke</strong>" in text


def test_the_picture_of_the_workflow_needs_no_graphviz(finished: Project):
    picture = finished.run("snakemake", "--rulegraph", "mermaid-js").stdout
    assert "flowchart" in picture
    for rule in ("draw_world", "import_scene", "reconstruct", "collect_scores", "log_run"):
        assert rule in picture


def test_a_cluster_is_asked_for_a_gpu_memory_and_time(project: Project):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    card = f"results/geometry/{SCENES[0]}/0/run.json"
    project.edit("rules/geometry.smk", MESSAGE, "")  # a message takes the place of the resources
    arguments = ("--profile", "profiles/slurm", "--dry-run", "--forcerun", "reconstruct")
    done = project.run("snakemake", *arguments, "--", card)
    said = done.stdout + done.stderr
    asked = re.search(r"resources: (.*gpu=1.*)", said)
    assert asked, said
    for resource in ("mem_mb=8000", "runtime=120", "slurm_partition=gpu"):
        assert resource in asked[1]


def test_a_misspelt_target_is_named(finished: Project):
    said = finished.snakemake("paper_figures/smoke/curve.svg", fails=True)
    assert "paper_figures/smoke/curve.svg" in said and "Traceback" not in said
