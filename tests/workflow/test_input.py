"""Bad input, as a user meets it: one line that names the file, and nothing left behind."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.workflow.project import SCENES, Project

NAMES = ("a", "b", "c", "d")
WIDTH, HEIGHT = 32, 24
OPTIONS: dict[str, Any] = {
    "images": "images", "sparse": "sparse/0", "labels": None, "classes": None, "void_label": None,
    "test_every": 2, "max_width_px": None, "source": "made in a test", "licence": "none",
}  # fmt: skip


def write_photographs(root: Path) -> Path:
    """Write four images and a COLMAP model in text form."""
    sparse = root / "sparse/0"
    for folder in (sparse, root / "images", root / "labels"):
        folder.mkdir(parents=True)
    (sparse / "cameras.txt").write_text(f"1 PINHOLE {WIDTH} {HEIGHT} 30 30 16 12\n")
    (sparse / "points3D.txt").write_text("1 0 0 3 10 20 30 0.5\n2 1 0 3 10 20 30 0.5\n")
    poses = [f"{i + 1} 1 0 0 0 {i}.0 0 0 1 {name}.png\n\n" for i, name in enumerate(NAMES)]
    (sparse / "images.txt").write_text("".join(poses))
    for shade, name in enumerate(NAMES):
        Image.new("RGB", (WIDTH, HEIGHT), (40 * shade, 90, 90)).save(root / f"images/{name}.png")
        Image.new("L", (WIDTH, HEIGHT), 1).save(root / f"labels/{name}.png")
    (root / "classes.txt").write_text("1 wall\n")
    return root


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def small_label(root: Path) -> None:
    Image.new("L", (8, 8), 1).save(root / "labels/b.png")


DAMAGE: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "a missing image": (lambda r: (r / "images/c.png").unlink(), ("images/c.png", "no such file")),
    "an unreadable image": (
        lambda r: (r / "images/c.png").write_bytes(b"no image"), ("images/c.png",),
    ),
    "an image of another size": (
        lambda r: Image.new("RGB", (20, 20)).save(r / "images/c.png"), ("images/c.png", "20x20"),
    ),
    "a pose that is not finite": (
        lambda r: replace(r / "sparse/0/images.txt", "2 1 0 0 0", "2 nan 0 0 0"), ("b",),
    ),
    "an empty model": (lambda r: (r / "sparse/0/images.txt").write_text(""), ("sparse/0",)),
    "two frames of one name": (
        lambda r: replace(r / "sparse/0/images.txt", "b.png", "a.png"), ("a",),
    ),
    "labels of another size": (small_label, ("labels/b.png", "8x8")),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_bad_photographs_give_one_line_and_leave_nothing(
    what: str, finished: Project, tmp_path: Path
):
    root = write_photographs(tmp_path / "photos")
    damage, named = DAMAGE[what]
    damage(root)
    options = {**OPTIONS, "root": str(root), "labels": "labels", "classes": "classes.txt"}
    out = tmp_path / "data/photos/mine"
    done = finished.run(
        sys.executable, "-m", "semsplat.data", "import", "--importer-name", "colmap",
        "--out", str(out), "--options", json.dumps(options), fails=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*\n", done.stderr), done.stderr
    assert all(text in done.stderr for text in named), done.stderr
    assert not (tmp_path / "data/photos").exists()


def test_a_folder_of_photographs_is_imported_by_its_path_and_watched(
    project: Project, tmp_path: Path
):
    root = write_photographs(tmp_path / "photos")
    project.edit("params.yaml", "      root: photos #", f"      root: {root} #")
    project.edit(
        "params.yaml", "    scenes:\n      kermit:", "    scenes:\n      mine: {}\n      kermit:"
    )
    project.snakemake("data/photos/mine/manifest.json")
    assert len(project.json("data/photos/mine/transforms.json")["frames"]) == len(NAMES)

    (root / "images/c.png").unlink()
    said = project.snakemake("data/photos/mine/manifest.json", fails=True)
    log = project.read("logs/data/photos/mine.log")
    assert re.fullmatch(r"error: .*images/c.png: no such file.*\n", log), log
    assert log in said and "Traceback" not in said
    assert not (project.root / "data/photos/mine/manifest.json").exists()


def test_braces_blanks_and_quotes_in_a_path_are_fine(project: Project, tmp_path: Path):
    root = write_photographs(tmp_path / "my {x} photo's")
    entry = {"options": {"root": str(root)}, "scenes": {"mine": {}}}
    (project.root / "mine.yaml").write_text(json.dumps({"datasets": {"photos": entry}}))
    command = ("--configfile", "mine.yaml", "--", "data/photos/mine/manifest.json")
    project.snakemake(*command)
    assert len(project.json("data/photos/mine/transforms.json")["frames"]) == len(NAMES)
    assert "Nothing to be done" in project.snakemake(*command)
    Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3)).save(root / "images/c.png")
    assert "Nothing to be done" not in project.snakemake(*command)


MISTAKES = {
    "an unknown suite": ("suite: smoke", "suite: smok", "suite: unknown suite 'smok'"),
    "a number that YAML reads as text": ("sh0: 2.5e-3", "sh0: 1e-3", "write 1.0e-3"),
    "an unknown key": ("sh0: 2.5e-3", "sh: 2.5e-3, sh0: 2.5e-3", "geometry.lr.sh: unknown key"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_the_parameters_is_one_line_before_any_job(what: str, project: Project):
    old, new, expected = MISTAKES[what]
    project.edit("params.yaml", old, new)
    done = project.run("snakemake", "--cores", "2", fails=True)
    lines = [line for line in done.stderr.splitlines() if "params.yaml:" in line]
    assert len(lines) == 1 and expected in lines[0]
    assert "Traceback" not in done.stderr and "Job" not in done.stdout + done.stderr


def test_an_unknown_suite_on_the_command_line_is_answered_alike(finished: Project):
    said = finished.snakemake("--dry-run", "--config", "suite=smok", fails=True)
    assert said.count("params.yaml: suite: unknown suite 'smok'; did you mean 'smoke'?") == 1
    assert "Traceback" not in said and SCENES[0] not in said
