"""A row, a claim or a table is one entry or one file, nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from semsplat.figures.published import (
    FOLDER,
    load_claims,
    load_printed,
    load_table,
    printed_value,
    table_names,
)
from semsplat.figures.referee import rules_1
from semsplat.figures.referee.effects import found_of
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import REPRODUCED
from tests.unit.figures.referee_helpers import trainings, write_training

CLAIM = """
    - better: new
      worse: b
      source: ours
      claims:
        ours_new:
          statement: The new row is better than SAC.
          measure: miou
          any_scene: they are ours
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with all definitions."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(FOLDER, tmp_path / "published"))


def add_row(folder: Path) -> None:
    """Add a method's row to CLIP-GS's Table 3."""
    path = folder / "clipgs_table3.yaml"
    row = '  new: {label: "our idea", setting: ours, printed: false}\n'
    path.write_text(path.read_text().replace("measures:\n", f"{row}measures:\n", 1))


def test_a_row_is_one_entry(folder: Path) -> None:
    add_row(folder)
    table = load_table("clipgs_table3", folder)
    assert "ours" in table.settings
    printed = load_printed("clipgs_table3", folder)
    assert printed_value(table, printed, "new", "room0_miou") is None
    assert printed_value(table, printed, "b", "room0_miou") == 19.92


def test_a_claim_is_one_entry_and_gets_a_verdict(folder: Path) -> None:
    add_row(folder)
    path, head = folder / "claims.yaml", "  clipgs_table3:\n"
    path.write_text(path.read_text().replace(head, head + CLAIM.lstrip("\n"), 1))
    claims = load_claims(folder)
    shown = trainings("clipgs_b", "ours")
    for training in shown:
        write_training(training, miou=0.8 if training.setting == "ours" else 0.7)
    claim, table = claims.claims["ours_new"], load_table("clipgs_table3", folder)
    (found,) = found_of(claim, table, Results(shown))
    verdict = rules_1.judge(claim, found, claims.rules.first)
    assert (verdict.word, verdict.effect) == (REPRODUCED, pytest.approx(10))


def test_a_table_is_one_definition_beside_what_was_printed(folder: Path) -> None:
    (folder / "ours_table1.csv").write_text("method,room_miou\nThem,12.5\n")
    definition = yaml.safe_load((folder / "clipgs_table1.yaml").read_text())
    definition |= {"rows": {"Them": {"label": "Them", "setting": "clipgs_a"}}, "number": 9}
    definition["columns"] = {"room_miou": {"measure": "miou", "scenes": ["replica/room0"]}}
    (folder / "ours_table1.yaml").write_text(yaml.safe_dump(definition))
    assert "ours_table1" in table_names(folder)
    table = load_table("ours_table1", folder)
    assert printed_value(table, load_printed("ours_table1", folder), "Them", "room_miou") == 12.5
