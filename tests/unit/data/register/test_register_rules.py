"""The rules bring an import what its root needs, and leave a person's folder alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[4]
SCENE = Path("data/lerf_ovs/desk/manifest.json")
DATA_SET = {
    "importer": "colmap",
    "options": {
        "root": "photos/lerf_ovs/desk", "images": "images", "sparse": "sparse/0", "labels": None,
        "classes": None, "void_label": None, "test_every": 2, "max_width_px": None,
        "source": "a test", "licence": "none",
    },
    "scenes": {"desk": {}},
}  # fmt: skip


def snakemake(*arguments: str, fails: bool = False) -> str:
    """Run Snakemake here, with this checkout's code, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", str(SCENE), *arguments],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def jobs(said: str) -> set[str]:
    return set(re.findall(r"^Job \d+: (\w+)", said, re.MULTILINE))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with this checkout's rules and code, and be in it."""
    for name in ("rules", "profiles", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "Snakefile", tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["datasets"]["lerf_ovs"] = DATA_SET
    del params["suites"]["paper"]  # it has the data set's own scenes
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "src")
    return tmp_path


def write_desk(root: Path) -> None:
    """Write four images and a COLMAP model in text form."""
    (root / "images").mkdir(parents=True)
    (root / "sparse/0").mkdir(parents=True)
    (root / "sparse/0/cameras.txt").write_text("1 PINHOLE 32 24 30 30 16 12\n")
    (root / "sparse/0/points3D.txt").write_text("1 0 0 3 10 20 30 0.5\n2 1 0 3 10 20 30 0.5\n")
    poses = [f"{i + 1} 1 0 0 0 {i}.0 0 0 1 {i}.png\n\n" for i in range(4)]
    (root / "sparse/0/images.txt").write_text("".join(poses))
    for i in range(4):
        Image.fromarray(np.full((24, 32, 3), 40 * i, np.uint8)).save(root / f"images/{i}.png")


def test_an_import_waits_for_its_archive_and_is_done_once(checkout: Path):
    assert jobs(snakemake("-n")) == {"fetch", "unpack", "import"}
    said = snakemake(fails=True)
    assert "error: lerf_ovs is not fetched: get it yourself (https://drive.google.com/" in said
    assert not Path("photos").exists() and not SCENE.exists()

    for scene in ("desk", "shelf"):
        write_desk(checkout / "made/lerf_ovs" / scene)
    Path("downloads").mkdir(exist_ok=True)
    shutil.make_archive("downloads/lerf_ovs", "zip", checkout / "made/lerf_ovs")
    Path("downloads/lerf_ovs.zip").chmod(0o444)
    snakemake()
    assert len(json.loads(SCENE.with_name("transforms.json").read_text())["frames"]) == 4
    assert "Nothing to be done" in snakemake()

    Path("photos").rename("removed")
    there = sorted(Path("downloads").rglob("*"))
    for _ in range(2):
        assert jobs(snakemake("-n")) == {"unpack", "import"}
    assert sorted(Path("downloads").rglob("*")) == there
    snakemake()
    assert Path("photos/lerf_ovs/desk/images/0.png").is_file()
    assert "Nothing to be done" in snakemake()


def test_a_folder_that_a_person_filled_is_imported_as_it_is(checkout: Path):
    write_desk(checkout / "photos/lerf_ovs/desk")
    assert jobs(snakemake("-n")) == {"import"}
    assert not Path("downloads").exists()
