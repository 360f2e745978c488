"""What is lost is made again by a real run; nothing else that reads the rules removes a file."""

from __future__ import annotations

import pytest

from tests.workflow.project import SCENES, Project
from tests.workflow.test_restore import INDEX

READERS = {
    "a dry run": ("--dry-run",),
    "a job of another phase": ("--forcerun", "draw_world", "--", f"data/{SCENES[0]}/manifest.json"),
    "linting": ("--lint",),
    "the graph of rules": ("--rulegraph",),
    "the summary": ("--summary",),
    "unlocking": ("--unlock",),
    "the report": ("--report", "report.zip"),
}


@pytest.fixture
def lost(project: Project) -> Project:
    """Return a finished project whose index somebody deleted."""
    (project.root / "mlflow.db").unlink()
    return project


def test_whoever_reads_the_rules_leaves_the_stamps(lost: Project) -> None:
    stamps = lost.hashes("mlruns")
    assert len([path for path in stamps if "/.logged/" in path]) == len(INDEX)
    for what, arguments in READERS.items():
        lost.run("snakemake", "--cores", "1", *arguments)
        assert lost.hashes("mlruns") == stamps, what
    assert not (lost.root / "mlflow.db").exists()


def test_a_lost_index_is_shown_as_work_and_made_again_bit_by_bit(lost: Project) -> None:
    assert lost.plan() == INDEX
    one = f"mlruns/.logged/{SCENES[0]}/geometry/0.json"
    lost.snakemake(one)
    assert lost.plan() == INDEX - {f"index {SCENES[0]}, seed 0, in MLflow"}
    lost.snakemake()
    assert lost.plan() == set()
