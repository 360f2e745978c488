"""What was looked at where claims came out contradicted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from semsplat.figures import claims
from semsplat.figures.published import FOLDER, load_claims, load_examinations
from semsplat.figures.published.claim_models import Examination
from semsplat.figures.referee.sheet import read_records
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

CLAIM = "clipgs_3dcs_miou"
FOUND = Examination(claims=[CLAIM], seen="Masks are impure.", mind="Pure ones.")
ROOT = Path(__file__).parents[3]
SCENES = ("procedural/room", "procedural/den", "procedural/table")


def ledger(gain: float) -> dict[str, str]:
    """Draw the ledger of scenes where 3DCS gains so much, and return the claim's line."""
    shown = trainings("clipgs_b", "clipgs_c", scenes=SCENES, seeds=2)
    for training in shown:
        miou = 0.6 + (gain + 0.001 * SCENES.index(training.place)) * (
            training.setting == "clipgs_c"
        )
        write_training(training, miou=miou, train_miou=0.5, best_vote_train_miou=0.9)
    write_speed(shown)
    claims.draw(shown, claims.Options(rules=2), Path("claims.md"))
    return {r["claim"]: r for r in read_records(Path("claims.csv"))}[CLAIM]


@pytest.fixture
def examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project in which the claim was examined."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(claims, "load_examinations", lambda: {CLAIM: FOUND})


def test_a_contradicted_claim_says_what_was_looked_at(examined: None) -> None:
    line = ledger(gain=-0.1)
    assert line["verdict"] == "contradicted"
    assert line["examined"] == "Masks are impure. What would change our mind: Pure ones."
    notes = Path("claims.md").read_text().splitlines()
    (paragraph,) = [note for note in notes if note.endswith(line["examined"])]
    statement = load_claims().claims[CLAIM].statement
    assert paragraph.startswith("**") and statement in paragraph.split("** ")[0]


def test_what_was_not_contradicted_needs_no_examination(examined: None) -> None:
    line = ledger(gain=0.1)
    assert line["verdict"] == "reproduced" and not line["examined"]
    assert FOUND.mind not in Path("claims.md").read_text()


def test_every_contradicted_claim_of_the_ledgers_here_was_examined() -> None:
    ledgers = sorted(ROOT.glob("paper_figures/*/claims.csv"))
    assert len(ledgers) > 1
    contradicted = [r for path in ledgers for r in read_records(path)]
    assert not [
        r["claim"] for r in contradicted if r["verdict"] == "contradicted" and not r["examined"]
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "gags_compact",
            "gags_compcat",
            ("no claim 'gags_compcat'", "did you mean 'gags_compact'"),
        ),
        ("gags_compact", f"{CLAIM}, {CLAIM}", (f"{CLAIM}: is examined twice",)),
    ],
)
def test_a_mistake_in_the_file_is_one_line(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    path = Path(shutil.copytree(FOLDER, tmp_path / "published")) / "examinations.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with one_line_error("examinations.yaml", *words):
        load_examinations(path.parent)
