"""The verbs of the command line that ask a trained scene."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from semsplat.cli import main
from semsplat.paths import train_dir
from semsplat.viewer.server import fields_and_scene, name_of
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.field.project import teach


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mug and a chair are known words."""
    teach(monkeypatch, torch.eye(3)[:2], torch.eye(3)[2:])


def semsplat(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["semsplat", *map(str, words)])
    main()


def of(project: Path, name: str) -> Path:
    return project / train_dir("made", "balls", name, 0)


def test_a_query_says_where_things_are_and_writes_them(
    project: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    words = "query", of(project, "cgc"), "mug", "chair", "--to", tmp_path / "found"
    semsplat(monkeypatch, *words)
    first, mug, chair, last = capsys.readouterr().out.splitlines()
    assert first == "cgc, in view 'held_out' of 16x12 px:"
    assert mug.startswith("  mug: ") and "1 Gaussians, found as the region of view 'b'" in mug
    assert "% of the picture around (" in mug and chair.startswith("  chair: ")
    assert last == f"written to {tmp_path / 'found'}"
    files = {p.relative_to(tmp_path / "found").as_posix() for p in tmp_path.rglob("*.p*")}
    assert files == {f"{n}/{f}" for n in ("mug", "chair") for f in ("held_out.png", "object.ply")}


def test_a_query_of_nothing_and_of_what_cannot_be_a_folder_is_one_line(
    project: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    for words, told in {
        (): "name what to ask for",
        ("zebra",): "knows no class 'zebra'",
    }.items():
        with pytest.raises(SystemExit):
            semsplat(monkeypatch, "query", of(project, "clip_gs"), *words)
        assert told in capsys.readouterr().err
    monkeypatch.setattr("semsplat.field.selection.class_named", lambda *_: 300)
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "query", of(project, "clip_gs"), "../x", "--to", tmp_path / "o")
    assert "cannot be a folder's name" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_pictures_are_rendered_and_splats_exported(project, tmp_path, monkeypatch, capsys) -> None:
    model = of(project, "clip_gs")
    semsplat(monkeypatch, "render", model, tmp_path / "r", "--what", "classes", "--cameras", "all")
    assert {p.name for p in (tmp_path / "r").glob("*.png")} == {"a.png", "b.png", "held_out.png"}
    words = "--what", "selection", "--prompt", "chair", "--kind", "npz"
    semsplat(monkeypatch, "render", model, tmp_path / "s", *words)
    assert (tmp_path / "s/held_out.npz").is_file()
    semsplat(monkeypatch, "export", model, tmp_path / "x.splat", "--object", "chair")
    assert (tmp_path / "x.splat").stat().st_size == 32
    capsys.readouterr()
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "export", model, tmp_path / "x.splat")
    assert "is there already" in capsys.readouterr().err


def test_a_prompt_is_of_relevancy_and_of_selections_alone(
    project: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    for words in (("--prompt", "mug"), ("--what", "relevancy"), ("--what", "selection")):
        with pytest.raises(SystemExit):
            semsplat(monkeypatch, "render", of(project, "gags"), tmp_path / "o", *words)
        assert "and no other, take a --prompt" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_one_line(project: Path, monkeypatch, capsys, port: int) -> None:
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "view", of(project, "cgc"), "--port", port)
    assert f"--port {port}: ports are 0 to 65535" in capsys.readouterr().err


def test_paths_name_fields_and_at_most_one_scene(project: Path, tmp_path: Path) -> None:
    cgc, gags, scene = of(project, "cgc"), of(project, "gags"), project / "data/made/balls"
    fields, found = fields_and_scene([cgc, scene, gags], "cpu")
    assert list(fields) == ["cgc (0)", "gags (0)"]
    assert found is not None and found.scene_dir == scene
    fields["cgc (0)"].save_ply(tmp_path / "x.ply")
    alone, none = fields_and_scene([tmp_path / "x.ply"], "cpu")
    assert none is None and [name_of(one) for one in alone.values()] == ["x.ply"]
    for paths in ([], [scene], [cgc, scene, scene]):
        with one_line_error("name at least one training or .ply, and at most one scene"):
            fields_and_scene(paths, "cpu")
    with one_line_error("is named twice"):
        fields_and_scene([cgc, cgc], "cpu")
