"""docs/demo.ipynb, run on a project by hand."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from semsplat.field.field import Field
from semsplat.paths import train_dir
from tests.unit.field.project import write_project

ROOT = Path(__file__).parents[3]
TRAININGS = {"clip_gs": "clipgs_d", "gags": "gags", "cgc": "cgc"}
TAUGHT = """
import pytest

from semsplat.train.methods import method
from tests.unit.field.project import LEFT, RIGHT, teach

(decoded,) = method("gags").vectors(gags.known.field, gags.scene.test[0]).maps.detach()
chair, mug, nothing = (decoded[y, x] for x, y in (LEFT, RIGHT, (0, 0)))
teach(pytest.MonkeyPatch(), [mug, chair], nothing[None])
"""
"""A cell that stands for CLIP: the right ball is a mug, and what is empty is anything."""


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(ROOT / "docs/demo.ipynb", as_version=4)


def codes(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_kept_without_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert all(not c.outputs and c.execution_count is None for c in codes(notebook))


def test_it_asks_a_project_and_shows_what_it_is_told(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, *TRAININGS)
    for name, setting in TRAININGS.items():
        named = tmp_path / train_dir("procedural", "room", setting, 0)
        named.parent.mkdir(parents=True)
        (tmp_path / train_dir("made", "balls", name, 0)).rename(named)
    (tmp_path / "docs").mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
    ran = nbformat.from_dict({**notebook, "cells": [*notebook.cells]})
    ran.cells.insert(ran.cells.index(codes(ran)[0]) + 1, nbformat.v4.new_code_cell(TAUGHT))
    where = {"metadata": {"path": str(tmp_path / "docs")}}
    NotebookClient(ran, timeout=120, resources=where).execute()

    outputs = [output for cell in codes(ran) for output in cell.outputs]
    said = "".join(output.text for output in outputs if output.get("name") == "stdout")
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 4
    assert "cgc answers colours, click, text" in said and "1 Gaussians, found like pixel" in said
    alone = Field.open(tmp_path / "scratch/demo/clicked.ply")
    assert alone.trained.gaussians["means"].tolist() == [[pytest.approx(0.6), 0, 0]]
