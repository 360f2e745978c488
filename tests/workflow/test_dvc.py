"""DVC records what Snakemake computed, and computes nothing itself."""

from __future__ import annotations

from pathlib import Path

from tests.workflow.project import Project

COPIES = "results/figures/"


def test_recording_a_finished_run_computes_nothing(finished: Project, recorded: Project):
    results = recorded.hashes("data", "results", "paper_figures")
    copies = {path: results.pop(path) for path in [*results] if path.startswith(COPIES)}
    assert results == finished.hashes("data", "results", "paper_figures")
    figures = finished.hashes("paper_figures/smoke").items()
    assert copies == {path.replace("paper_figures/", COPIES): digest for path, digest in figures}
    jobs = ".snakemake/metadata"  # what Snakemake notes of every job it has run
    assert recorded.hashes(jobs) == finished.hashes(jobs) != {}


def test_a_recorded_state_is_clean_for_both(recorded: Project):
    assert "up to date" in recorded.run("dvc", "status").stdout
    assert recorded.plan() == set()


def test_a_changed_parameter_is_shown_by_its_name(recorded_project: Project):
    recorded_project.edit("params.yaml", "sh0: 2.5e-3", "sh0: 5.0e-3")
    shown = recorded_project.run("dvc", "params", "diff").stdout.splitlines()[-1].split()
    assert shown == ["params.yaml", "geometry.lr.sh0", "0.0025", "0.005"]


def test_changed_numbers_are_shown_by_their_names(recorded_project: Project):
    path = Path(recorded_project.root, "results/metrics.json")
    nook = recorded_project.json("results/metrics.json")["procedural"]["nook"]
    value = nook["features_regions"]["dense_miou"]
    assert path.read_text().count(str(value)) == 1
    path.write_text(path.read_text().replace(str(value), "99.0"))
    shown = recorded_project.run("dvc", "metrics", "diff").stdout
    changed = [line.split() for line in shown.splitlines()[1:]]
    assert [(name, new) for _, name, _, new, _ in changed] == [
        ("procedural.nook.features_regions.dense_miou", "99.0")
    ]
