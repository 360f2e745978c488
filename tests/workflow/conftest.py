"""The suite smoke is computed once for all tests; most of them then only ask what would run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.workflow.project import Project, checkout


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let commands hear Ctrl-C: a shell lets what it starts in the background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project in which everything of suite smoke is computed; never change it."""
    project = checkout(tmp_path_factory.mktemp("finished"))
    project.snakemake()
    return project


@pytest.fixture(scope="session")
def recorded(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a finished project that DVC has recorded and pushed; never change it."""
    project = finished.copy(tmp_path_factory.mktemp("recorded") / "project")
    project.run("dvc", "remote", "add", "--default", "store", str(project.root.parent / "store"))
    project.run("dvc", "repro")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Record")
    project.run("dvc", "push")
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """Return a finished project to change."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def recorded_project(recorded: Project, tmp_path: Path) -> Project:
    """Return a recorded project to change."""
    return recorded.copy(tmp_path / "project")
