"""The card says what a result was made from, by what, where and when."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from semsplat.fingerprint import fingerprint
from semsplat.io import read_json, sha256_text, write_json
from semsplat.provenance import Card, run_key

MODULE = "semsplat.io"
CONFIG = {"dataset": "toys", "scene": "shelf", "seed": 0, "geometry": {"steps": 3, "lr": 1.0e-3}}


SCENE = '{"privileges": ["points"]}'


def write_card(folder: Path, **numbers: Any) -> dict[str, Any]:
    """Write a card over one input and one output, and return it as read."""
    (folder / "scene.json").write_text(SCENE)
    card = Card("geometry", MODULE, CONFIG, {"scene": folder / "scene.json"})
    (folder / "out.ply").write_text("result")
    card.write(folder / "run.json", [folder / "out.ply"], **numbers)
    read: dict[str, Any] = read_json(folder / "run.json")
    return read


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_card_repeats_what_was_told_to_all_that_it_learned_from(tmp_path: Path) -> None:
    write_json(tmp_path / "scene/manifest.json", {"privileges": ["points", "classes"]})
    write_json(tmp_path / "lessons/manifest.json", {"files": {}})
    write_json(tmp_path / "lessons/run.json", {"privileges": ["classes", "tracks"]})
    write_json(tmp_path / "weights/model.json", {})  # no card beside it
    inputs = {name: tmp_path / name / "manifest.json" for name in ("scene", "lessons")}
    inputs["weights"] = tmp_path / "weights/model.json"
    assert Card("train", MODULE, CONFIG, inputs).privileges == ["points", "classes", "tracks"]


def test_a_card_holds_everything_a_result_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--scene", "data/toys/shelf"])
    card = write_card(tmp_path, train_s=1.5, n_gaussians=7)
    assert card["phase"] == "geometry" and card["config"] == CONFIG
    assert card["code"] == fingerprint(MODULE)
    assert card["inputs"] == {"scene": sha256_text(SCENE)}
    assert card["privileges"] == ["points"]
    assert card["outputs"] == {"out.ply": sha256_text("result")}
    assert card["run_key"] == run_key(CONFIG, card["inputs"], card["code"])
    assert card["numbers"]["train_s"] == 1.5 and card["numbers"]["n_gaussians"] == 7
    assert 10 < card["numbers"]["peak_ram_mb"] < 1e6
    assert card["command"] == ["python", "-m", "semsplat.geometry", "--scene", "data/toys/shelf"]
    started, ended = (datetime.fromisoformat(card[key]) for key in ("started", "ended"))
    assert started.utcoffset() is not None and started <= ended
    assert 0 <= card["wall_s"] < 60


def test_a_card_names_the_machine_and_the_versions(tmp_path: Path) -> None:
    machine = write_card(tmp_path)["machine"]
    assert machine["python"] == sys.version.split()[0]
    assert machine["host"] and machine["cpu"] and machine["threads"] >= 1
    assert {"torch", "gsplat", "numba", "numpy"} <= machine["packages"].keys()
    import torch

    assert torch.__version__.split("+")[0] == machine["packages"]["torch"].split("+")[0]
    assert (machine["gpu"] is None) == (machine["cuda"] is None)


def test_the_card_describes_inputs_as_they_were_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "scene.json").write_text("{}")
    card = Card("geometry", MODULE, CONFIG, {"scene": tmp_path / "scene.json"})
    (tmp_path / "scene.json").write_text("after")
    card.write(tmp_path / "run.json", {})
    written = read_json(tmp_path / "run.json")
    assert written["inputs"] == {"scene": sha256_text("{}")} and written["privileges"] == []


def test_a_missing_output_leaves_no_card(tmp_path: Path) -> None:
    card = Card("geometry", MODULE, CONFIG, {})
    with pytest.raises(FileNotFoundError):
        card.write(tmp_path / "run.json", [tmp_path / "none.ply"])
    assert not (tmp_path / "run.json").exists()


def test_the_key_changes_with_config_inputs_and_code() -> None:
    base = run_key(CONFIG, {"scene": "a"}, "c")
    others = [
        run_key({**CONFIG, "seed": 1}, {"scene": "a"}, "c"),
        run_key({**CONFIG, "geometry": {"steps": 3, "lr": 2.0e-3}}, {"scene": "a"}, "c"),
        run_key(CONFIG, {"scene": "b"}, "c"),
        run_key(CONFIG, {"scene": "a", "features": "a"}, "c"),
        run_key(CONFIG, {"scene": "a"}, "d"),
    ]
    assert len({base, *others}) == 6
    assert run_key(dict(reversed(CONFIG.items())), {"scene": "a"}, "c") == base


def test_the_key_does_not_change_with_time_place_or_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_card(tmp_path, train_s=1.0)
    monkeypatch.setattr(sys, "argv", ["anything", "--other"])
    monkeypatch.chdir(tmp_path)
    assert write_card(tmp_path, train_s=2.0)["run_key"] == first["run_key"]


def test_the_commit_is_named_and_changes_to_tracked_files_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    drawn = tmp_path / "paper_figures/demo/scores.md"
    drawn.parent.mkdir(parents=True)
    for path in (tmp_path / "tracked", drawn):
        path.write_text("1")
    git(tmp_path, "add", "tracked", "paper_figures")
    git(tmp_path, "commit", "-qm", "Start")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert write_card(tmp_path)["git"] == {"commit": commit, "dirty": False}
    drawn.write_text("2")  # by the workflow
    monkeypatch.chdir(drawn.parent)
    assert write_card(tmp_path)["git"] == {"commit": commit, "dirty": False}
    (tmp_path / "tracked").write_text("2")
    assert write_card(tmp_path)["git"] == {"commit": commit, "dirty": True}


def test_a_card_is_written_outside_a_repository_and_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert write_card(tmp_path)["git"] == {"commit": None, "dirty": None}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert write_card(tmp_path)["git"] == {"commit": None, "dirty": None}
