"""``python -m semsplat.data``: from options to a canonical scene."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from semsplat.data.__main__ import main
from semsplat.data.datasets.procedural import native_dir
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import load_points, load_scene, load_semantics
from semsplat.io import read_json

OPTIONS: dict[str, Any] = {
    "kind": "tabletop",
    "seed": 3,
    "n_views": 5,
    "width_px": 32,
    "height_px": 24,
    "hfov_deg": 68.0,
    "test_every": 2,
    "n_points": 50,
    "sweep": None,
    "point_noise_m": 0.01,
    "annotate": {"min_area_px": 10, "min_piece_px": 2, "also_train": True},
}
SCENE = Path("data/procedural/tiny")


def run(monkeypatch: pytest.MonkeyPatch, *words: str, **options: Any) -> None:
    argv = ["semsplat.data", *words, "--options", json.dumps({**OPTIONS, **options})]
    monkeypatch.setattr(sys, "argv", argv)
    main()


def make(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    """Draw and import below a folder, and return the scene's manifest."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    run(monkeypatch, "draw", "--out", str(native_dir(SCENE)))
    run(monkeypatch, "import", "--importer-name", "procedural", "--out", str(SCENE))
    manifest: dict[str, Any] = read_json(SCENE / "manifest.json")
    return manifest


def test_a_drawn_world_becomes_a_scene_and_equal_options_equal_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = make(monkeypatch, tmp_path / "one")
    verify_manifest(SCENE)
    verify_manifest(Path("data/native/procedural/tiny"))
    scene = load_scene(SCENE)
    assert (len(scene.train), len(scene.test)) == (2, 3)
    assert {(f.width, f.height) for f in scene.train + scene.test} == {(32, 24)}
    assert all(f.depth_path and f.labels_path and f.instances_path for f in scene.train)
    assert len(load_points(scene)[0]) == 50 and load_semantics(scene)["classes"]
    assert (manifest["dataset"], manifest["scene"]) == ("procedural", "tiny")
    assert make(monkeypatch, tmp_path / "two")["digest"] == manifest["digest"]


def test_an_unknown_importer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as status:
        run(monkeypatch, "import", "--importer-name", "colmapp", "--out", "data/a/b")
    assert status.value.code == 1
    assert capsys.readouterr().err == "error: no importer 'colmapp'; did you mean 'colmap'?\n"
    assert not list(tmp_path.iterdir())


def test_importing_before_drawing_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run(monkeypatch, "import", "--importer-name", "procedural", "--out", str(SCENE))
    error = capsys.readouterr().err
    assert error.startswith("error: data/native/procedural/tiny") and error.count("\n") == 1
    assert not SCENE.exists()
