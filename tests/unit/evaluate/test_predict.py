"""Held-out views of a geometry run, rendered to disk and scored from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.data.images import read_rgb
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError
from semsplat.folders import MARKER, mark
from semsplat.io import read_json, sha256_file, write_json
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.ply import write_ply
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at
from tests.unit.evaluate.job_helpers import run_predict, run_score

DISTANCE = 3.0  # from the cameras of `viewmat_at` to the plane of the ball
RED = (0.9, 0.2, 0.1)
RADIUS, OPACITY = 0.3, 0.99


def write_scene(scene_dir: Path, images: dict[str, np.ndarray]) -> Path:
    """Write a scene whose held-out views are ``images``; the second camera looks past the ball."""
    with SceneWriter(scene_dir, **ORIGIN) as writer:
        writer.add_frame("train", random_image(), viewmat_at(0), K, "train")
        for x, (name, image) in zip((0.0, 50.0), images.items(), strict=True):
            writer.add_frame(name, image, viewmat_at(x), K, "test")
    return scene_dir


def write_model(folder: Path, background: str) -> Path:
    """Write one opaque red ball at the origin, with a card as the geometry phase leaves it."""
    colour = (torch.tensor([[RED]]) - 0.5) / C0
    gaussians = {
        "means": torch.zeros(1, 3),
        "quats": torch.tensor([[1.0, 0, 0, 0]]),
        "scales": torch.full((1, 3), RADIUS).log(),
        "opacities": torch.tensor([OPACITY]).logit(),
        "sh0": colour,
        "shN": torch.zeros(1, 15, 3),
    }
    write_ply(folder / "point_cloud.ply", gaussians)
    card = {
        "config": {"geometry": {"sh_degree": 3, "background": background}},
        "outputs": {"point_cloud": sha256_file(folder / "point_cloud.ply")},
    }
    write_json(folder / "run.json", card)
    return folder


BLANK = {"cam/near": random_image(seed=1), "far": random_image(seed=2)}


@pytest.mark.parametrize(("background", "level"), [("black", 0), ("white", 255)])
def test_every_held_out_view_gets_an_image_and_a_depth(
    tmp_path: Path, background: str, level: int
) -> None:
    scene_dir = write_scene(tmp_path / "scene", BLANK)
    model = write_model(tmp_path / "model", background)
    out = tmp_path / "predictions"
    run_predict(("colours",), scene_dir, model, out)
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert files == [MARKER, "cam/near.npz", "cam/near.png", "far.npz", "far.png", "manifest.json"]

    near = read_rgb(out / "cam/near.png", (16, 12))
    # Half a pixel off the ball's centre; 0.3 px² is 3DGS's dilation of the footprint.
    variances = [(focal * RADIUS / DISTANCE) ** 2 + 0.3 for focal in (K[0, 0], K[1, 1])]
    alpha = OPACITY * np.exp(-0.5 * sum(0.5**2 / variance for variance in variances))
    expected = alpha * np.array(RED) * 255 + (1 - alpha) * level
    assert near[6, 8] == pytest.approx(expected, abs=1)
    assert (near[0, 0] == level).all()
    with np.load(out / "cam/near.npz", allow_pickle=False) as archive:
        depth = archive["depth"]
    assert depth.shape == (12, 16) and depth.dtype == np.float16
    assert depth[6, 8] == pytest.approx(DISTANCE, abs=0.01) and depth[0, 0] == 0

    assert (read_rgb(out / "far.png", (16, 12)) == level).all()
    with np.load(out / "far.npz", allow_pickle=False) as archive:
        assert not archive["depth"].any()


def test_the_manifest_names_the_model_and_covers_every_file(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", "black")
    run_predict(("colours",), write_scene(tmp_path / "scene", BLANK), model, tmp_path / "out")
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert manifest["model"] == sha256_file(model / "point_cloud.ply")
    assert manifest["device"] == "cpu" and len(manifest["files"]) == 4
    verify_manifest(tmp_path / "out")


def test_rendering_again_replaces_what_was_there(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", BLANK)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.png").touch()
    mark(tmp_path / "out")
    for background in ("white", "black"):
        model = write_model(tmp_path / "model", background)
        run_predict(("colours",), scene_dir, model, tmp_path / "out")
    assert not (tmp_path / "out" / "old.png").exists()
    assert not read_rgb(tmp_path / "out" / "far.png", (16, 12)).any()


def test_a_model_scores_perfectly_on_its_own_renders(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", BLANK)
    model = write_model(tmp_path / "model", "white")
    run_predict(("colours",), scene_dir, model, tmp_path / "first")
    own = {f.name: read_rgb(tmp_path / f"first/{f.name}.png", (16, 12)) for f in frames(scene_dir)}
    again = write_scene(tmp_path / "again", own)
    run_predict(("colours",), again, model, tmp_path / "second")
    out = tmp_path / "toys/shelf/geometry/0/scores.json"
    run_score(("colours",), again, tmp_path / "second", out)
    scores = read_json(out)
    assert scores["views"].keys() == BLANK.keys() and scores["missing"] == []
    assert scores["metrics"]["psnr"] == 100.0 and scores["metrics"]["ssim"] == 1.0


def frames(scene_dir: Path) -> tuple:
    return load_scene(scene_dir).test


def test_a_broken_model_leaves_no_predictions(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", BLANK)
    model = write_model(tmp_path / "model", "white")
    (model / "point_cloud.ply").write_bytes(b"ply\n")
    with pytest.raises(SemsplatError, match=r"point_cloud\.ply"):
        run_predict(("colours",), scene_dir, model, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))
