"""Own photographs: what is refused and why, and a real table-top from pictures to a scene."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pycolmap
import pytest
import yaml
from PIL import Image

from semsplat.cli import main
from semsplat.data.datasets import colmap
from semsplat.data.photos.collect import collect
from semsplat.data.photos.make import entry_lines, make_photos, report_lines
from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.io import read_json, write_json

MATERIAL = Path(__file__).parents[4] / ".." / "shared" / "data" / "kermit"
OPTIONS = yaml.safe_load((Path(__file__).parents[4] / "params.yaml").read_text())["datasets"]
TURNED = 6  # EXIF: the first row of pixels is the right side


def noise(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def write_noise(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for i in range(count):
        noise(i).save(folder / f"{i}.png")
    return folder


def turn(path: Path) -> None:
    """Give a picture the orientation of a camera held upright."""
    with Image.open(path) as image:
        exif = image.getexif()
        exif[0x0112] = TURNED
        image.save(path, exif=exif)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "too few": (lambda f: (f / "0.png").unlink(), "2 photographs"),
    "no folder": (shutil.rmtree, "no such folder"),
    "HEIC": (lambda f: (f / "3.HEIC").write_bytes(b"x"), r"magick mogrify -format jpg \*.HEIC"),
    "raw": (lambda f: (f / "3.dng").write_bytes(b"x"), "convert it first"),
    "the same twice": (lambda f: noise(1).save(f / "3.bmp"), "same picture as 1.png"),
    "equal names": (lambda f: noise(3).save(f / "1.bmp"), "rename one"),
    "unreadable": (lambda f: (f / "3.jpg").write_bytes(b"x"), "not a readable image"),
    "no overlap": (lambda f: None, "fit together"),
}


@pytest.mark.parametrize("what", BAD)
def test_photographs_that_make_no_scene_are_refused_in_one_line(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    folder = write_noise(tmp_path / "mine")
    spoil, reason = BAD[what]
    spoil(folder)
    monkeypatch.setattr(sys, "argv", ["semsplat", "photos", str(folder), "--name", "desk"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ")
    with pytest.raises(SemsplatError, match=reason):
        make_photos(folder, "desk", sequential=False, single_camera=False, seed=0)
    assert not (tmp_path / "photos").exists()


def test_names_that_no_scene_can_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = write_noise(tmp_path / "mine")
    (tmp_path / "photos/taken").mkdir(parents=True)
    for name, reason in (("My Desk", "small letters"), ("../x", "small"), ("taken", "already")):
        with pytest.raises(SemsplatError, match=reason):
            make_photos(folder, name, sequential=False, single_camera=False, seed=0)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["taken"]


def test_one_camera_makes_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = write_noise(tmp_path / "mine")
    turn(folder / "1.png")
    with pytest.raises(SemsplatError, match="64x48 and 48x64"):
        make_photos(folder, "desk", sequential=False, single_camera=True, seed=0)


def test_what_lies_on_its_side_is_turned_for_good_and_the_rest_copied(tmp_path: Path):
    folder = write_noise(tmp_path / "mine")
    turn(folder / "1.png")
    found = collect(folder, tmp_path / "out")
    assert found.turned == ["1.png"] and found.sizes["1.png"] == (48, 64)
    with Image.open(tmp_path / "out/1.png") as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert (np.asarray(image) == np.rot90(np.asarray(noise(1)), -1)).all()
    for name in ("0.png", "2.png"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("orientation", [0, 1, 9])
def test_an_orientation_that_means_nothing_turns_nothing(tmp_path: Path, orientation: int):
    folder = write_noise(tmp_path / "mine")
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise(1).save(folder / "1.png", exif=exif)
    assert collect(folder, tmp_path / "out").turned == []


def test_a_cards_folders_are_read_and_junk_is_passed_over(tmp_path: Path):
    for number in range(4):
        path = tmp_path / f"DCIM/10{number % 2}CANON/IMG_{number}.JPG"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(number).save(path)
        path.with_name(f"._{path.name}").write_bytes(b"of macOS")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/IMG_0.JPG").write_bytes(b"of macOS")
    (tmp_path / "DCIM/notes.txt").write_text("x")
    found = collect(tmp_path, tmp_path.with_name("copies"))
    assert list(found.sizes) == [f"DCIM_10{n % 2}CANON_IMG_{n}.JPG" for n in (0, 2, 1, 3)]
    assert found.passed_over == ["DCIM/notes.txt"]


def test_photographs_beside_folders_of_more_are_never_half_read(tmp_path: Path):
    folder = write_noise(tmp_path / "mine")
    (folder / "more").mkdir()
    noise(9).save(folder / "more/9.png")
    with pytest.raises(SemsplatError, match=r"has photographs, and 1 more in folders \(.*more\)"):
        collect(folder, tmp_path / "out")


@pytest.mark.parametrize(("suffix", "copied"), [("jfif", "5.jpg"), ("avif", "5.png")])
def test_other_suffixes_are_read(tmp_path: Path, suffix: str, copied: str):
    folder = write_noise(tmp_path / "mine")
    noise(5).save(folder / f"5.{suffix}", format="AVIF" if suffix == "avif" else "JPEG")
    assert copied in collect(folder, tmp_path / "out").sizes


@pytest.mark.parametrize("suffix", ["HIF", "heic", "ORF", "rw2", "RAF", "dng", "mp4"])
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, suffix: str):
    folder = write_noise(tmp_path / "mine")
    (folder / f"x.{suffix}").write_bytes(b"x")
    with pytest.raises(SemsplatError, match=rf"x\.{suffix}: \.{suffix} is not read; convert it"):
        collect(folder, tmp_path / "out")


def report(out: Path, **facts: object) -> str:
    """Return the lines about a model that has these facts."""
    plain = {"photographs": 6, "without_pose": [], "points": 9, "reprojection_error_px": 0.09,
             "turned": [], "passed_over": [], "sequential": True, "angle_deg": 9.0,
             "focals_px": {"64x48": [330.0, 350.0]}}  # fmt: skip
    write_json(out / "photos.json", {**plain, **facts})
    return "\n".join(report_lines(out))


def test_a_panorama_is_said(tmp_path: Path):
    assert "warning" not in report(tmp_path)
    said = report(tmp_path, focals_px={"64x48": [433.0, 7614.0]})
    assert "focal lengths from 433 to 7614 px" in said and "one spot" in said
    assert "seen under 0.20 degrees" in report(tmp_path, angle_deg=0.2)
    assert "passed over, no photographs: a.txt" in report(tmp_path, passed_over=["a.txt"])


@pytest.fixture(scope="module")
def kermit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a scene of the table-top and one picture of something else, or skip."""
    if not MATERIAL.is_dir():
        pytest.skip("no ../shared/data/kermit beside the repository: real photographs not tested")
    root = tmp_path_factory.mktemp("kermit")
    shutil.copytree(MATERIAL, root / "mine", ignore=shutil.ignore_patterns("*.txt", "der*", "res*"))
    noise(0, 640, 480).save(root / "mine/stranger.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name in ("once", "again"):
            make_photos(Path("mine"), name, sequential=False, single_camera=True, seed=0)
    return root / "photos"


def centres(model: pycolmap.Reconstruction) -> np.ndarray:
    """Camera centres [N, 3] by the order of names."""
    images = sorted(model.images.values(), key=lambda image: image.name)
    return np.array([image.projection_center() for image in images])


def aligned(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Points [N, 3] moved, turned and scaled onto others as well as it goes (Umeyama)."""
    here, there = points - points.mean(0), to - to.mean(0)
    u, s, vt = np.linalg.svd(there.T @ here)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * signs).sum() / (here**2).sum()
    return scale * here @ (u @ np.diag(signs) @ vt).T + to.mean(0)


def test_all_photographs_of_a_table_get_the_poses_that_are_known(kermit: Path):
    ours = pycolmap.Reconstruction(kermit / "once/sparse/0")
    known = pycolmap.Reconstruction(MATERIAL / "derived_pycolmap/sparse/0")
    assert ours.num_reg_images() == known.num_reg_images() == 11
    there = centres(known)
    extent = np.linalg.norm(there - there.mean(0), axis=1).max()
    away = np.linalg.norm(aligned(centres(ours), there) - there, axis=1) / extent
    print(f"camera centres: {away.mean():.4f} of the extent away, at most {away.max():.4f}")
    assert away.max() < 0.02


def test_the_picture_of_something_else_is_left_out_and_named(kermit: Path):
    assert read_json(kermit / "once/photos.json")["without_pose"] == ["stranger.png"]
    said = report_lines(kermit / "once")
    assert "11 of 12 photographs" in said[0] and said[1].endswith("stranger.png")


def test_equal_photographs_and_seeds_give_equal_models(kermit: Path):
    one, two = (pycolmap.Reconstruction(kermit / n / "sparse/0") for n in ("once", "again"))
    assert (centres(one) == centres(two)).all() and one.num_points3D() == two.num_points3D()


def test_the_entry_to_paste_imports_the_scene(kermit: Path, tmp_path: Path):
    entry = yaml.safe_load("\n".join(entry_lines("once", 4)))
    assert entry["suites"]["photos"]["scenes"] == ["photos/once"]
    values = OPTIONS["photos"]["options"] | entry["datasets"]["photos"]["scenes"]["once"]
    options = colmap.Options.model_validate(values | {"root": str(kermit)})
    colmap.import_scene("once", options, tmp_path / "photos" / "once")
    scene = load_scene(tmp_path / "photos" / "once")
    assert (len(scene.train), len(scene.test)) == (8, 3)
