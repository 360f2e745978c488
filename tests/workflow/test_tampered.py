"""`semsplat trace` notices every changed file on the way from a number to the photographs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from semsplat.cli.project import trace
from semsplat.errors import SemsplatError
from tests.workflow.project import SCENES, Project

SCENE, SETTING = SCENES[0], "clipgs_d"
TABLE = "paper_figures/smoke/clipgs_details"
TRAIN, EVALUATE = (f"results/{kind}/{SCENE}/{SETTING}/0" for kind in ("train", "evaluate"))


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def digit(path: Path) -> None:
    """Change the last digit of a text that is not 0."""
    text = path.read_text()
    place = max(text.rfind(number) for number in "123456789")
    path.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :])


def commit(path: Path) -> None:
    """Name another commit in a card."""
    card = json.loads(path.read_text())
    card["git"]["commit"] = "0" * 40
    path.write_text(json.dumps(card))


def score(path: Path) -> None:
    """Change a score, in the way of somebody who does not know of digests."""
    scores = json.loads(path.read_text())
    scores["metrics"]["miou"] += 0.01
    path.write_text(json.dumps(scores))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def first(pattern: str) -> Callable[[Path], Path]:
    return lambda root: sorted(root.glob(pattern))[0]


LESSONS, FEATURES = f"results/lessons/{SCENE}/*/0", f"results/features/{SCENE}/regions/*"
TAMPERED: list[tuple[str, Callable[[Path], None]]] = [
    (f"{TABLE}.csv", digit),
    (f"{TABLE}.md", digit),
    (f"{TABLE}.tex", digit),
    (f"{EVALUATE}/scores.json", score),
    (f"{EVALUATE}/scores.json", digit),
    (f"{EVALUATE}/inconsistency.npz", flip),
    (f"{EVALUATE}/predictions/classes/*.png", flip),
    (f"{EVALUATE}/predictions/classes/*.png", Path.unlink),
    (f"{EVALUATE}/predictions/manifest.json", digit),
    (f"{TRAIN}/semantics.safetensors", empty),
    (f"{TRAIN}/semantics.safetensors", Path.unlink),
    (f"{TRAIN}/point_cloud.ply", flip),
    (f"{TRAIN}/metrics.jsonl", digit),
    (f"{TRAIN}/run.json", commit),
    (f"{LESSONS}/views/*.npz", flip),
    (f"{LESSONS}/run.json", commit),
    (f"{FEATURES}/views/*.npz", flip),
    (f"{FEATURES}/manifest.json", digit),
    (f"{FEATURES}/run.json", commit),
    (f"data/{SCENE}/images/*.png", flip),
    (f"data/{SCENE}/transforms.json", digit),
    (f"data/{SCENE}/semantics.json", digit),
    (f"data/{SCENE}/manifest.json", digit),
]


ADDRESS = f"{TABLE}.md:{SETTING}:miou@procedural"


@pytest.fixture(scope="module")
def ours(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a finished project to change."""
    return finished.copy(tmp_path_factory.mktemp("tampered") / "project")


def test_nothing_tampered_is_traced(ours: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours.root)
    trace(ADDRESS)


@pytest.mark.parametrize(("pattern", "tamper"), TAMPERED)
def test_a_tampered_file_is_noticed(
    ours: Project,
    monkeypatch: pytest.MonkeyPatch,
    pattern: str,
    tamper: Callable[[Path], None],
) -> None:
    monkeypatch.chdir(ours.root)
    path = first(pattern)(Path())
    before = path.read_bytes()
    try:
        tamper(path)
        with pytest.raises(SemsplatError) as error:
            trace(ADDRESS)
    finally:
        path.write_bytes(before)
    assert "\n" not in str(error.value) and path.name in str(error.value)
    trace(ADDRESS)
