"""Real photographs, where a folder ``shared/data`` lies beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest

from semsplat.data.datasets import colmap
from semsplat.data.images import image_size
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import Scene, load_ids, load_image, load_points, load_scene, load_semantics

MATERIAL = Path(__file__).parents[3] / ".." / "shared" / "data"


def imported(out_dir: Path, folder: str, **choices: Any) -> tuple[Scene, pycolmap.Reconstruction]:
    """Import a real scene, or skip; returns it with the model it came from."""
    root = MATERIAL / folder
    if not root.is_dir():
        pytest.skip(
            f"no ../shared/data/{folder} beside the repository: real photographs not tested"
        )
    common = {"labels": None, "classes": None, "test_every": 8, "source": "test"}
    opts = colmap.Options(root=str(root), licence="see there", **common | choices)
    colmap.import_scene("real", opts, out_dir)
    verify_manifest(out_dir)
    return load_scene(out_dir), pycolmap.Reconstruction(str(root / opts.sparse))


def reprojection_errors(scene: Scene, model: pycolmap.Reconstruction) -> np.ndarray:
    """Distances [N] px between projected 3-D points and the rectified observations of them."""
    frames = {frame.name: frame for frame in scene.train + scene.test}
    errors = []
    for image in model.images.values():
        frame = frames[image.name.rpartition(".")[0]]
        seen = [point for point in image.points2D if point.has_point3D()]
        xyz = np.array([model.point3D(point.point3D_id).xyz for point in seen])
        projected = (xyz @ frame.viewmat[:3, :3].T + frame.viewmat[:3, 3]) @ frame.K.T
        projected = projected[:, :2] / projected[:, 2:]
        observed = image.camera.cam_from_img(np.array([point.xy for point in seen]))
        observed = observed * frame.K[[0, 1], [0, 1]] + frame.K[:2, 2]
        inside = (projected > -2).all(axis=1) & (
            projected < (frame.width + 2, frame.height + 2)
        ).all(axis=1)
        assert inside.all()
        errors.append(np.linalg.norm(projected - observed, axis=1))
    return np.concatenate(errors)


@pytest.mark.parametrize(
    ("images", "sparse"),
    [
        (".", "derived_pycolmap/sparse/0"),
        ("derived_pycolmap/undistorted/images", "derived_pycolmap/undistorted/sparse/0"),
    ],
    ids=["distorted", "undistorted"],
)
def test_kermit_photographs_import(tmp_path: Path, images: str, sparse: str) -> None:
    choices = {"images": images, "sparse": sparse, "void_label": None, "max_width_px": 320}
    scene, model = imported(tmp_path / "s", "kermit", **choices)
    assert (len(scene.train), [frame.name for frame in scene.test]) == (
        9,
        ["kermit000", "kermit008"],
    )
    frame = scene.train[0]
    assert (frame.width, frame.height) == (320, 236)
    assert load_image(frame).shape == (236, 320, 3)
    assert len(load_points(scene)[0]) == 649
    assert np.mean(reprojection_errors(scene, model)) < 0.25  # 0.41 px at 640 wide


def test_kermit_undistorted_here_is_kermit_undistorted_by_colmap(tmp_path: Path) -> None:
    choices = {"void_label": None, "max_width_px": 320}
    base = "derived_pycolmap"
    ours, _ = imported(tmp_path / "a", "kermit", images=".", sparse=f"{base}/sparse/0", **choices)
    theirs, _ = imported(
        tmp_path / "b",
        "kermit",
        images=f"{base}/undistorted/images",
        sparse=f"{base}/undistorted/sparse/0",
        **choices,
    )
    for one, two in zip(ours.train, theirs.train, strict=True):
        np.testing.assert_allclose(one.K, two.K, rtol=1e-3)
        difference = np.abs(load_image(one).astype(int) - load_image(two))
        assert difference.mean() < 2.5  # theirs was compressed as JPEG again


def test_camvid_photographs_and_labels_import(tmp_path: Path) -> None:
    scene, model = imported(
        tmp_path / "s",
        "camvid_0016E5",
        images="images",
        sparse="derived_pycolmap/sparse/0",
        labels="labels",
        classes="classes.txt",
        void_label=11,
        max_width_px=240,
    )
    assert (len(scene.train), len(scene.test)) == (88, 13)
    classes = {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}
    assert len(classes) == 11 and classes[1] == "sky" and classes[11] == "bicyclist"
    frame = scene.train[0]
    assert image_size(frame.image_path) == (240, 180)
    assert frame.labels_path is not None
    labels = load_ids(frame.labels_path, frame)
    assert classes[labels[0, 140]] == "sky" and classes[labels[170, 120]] == "road"
    assert np.mean(reprojection_errors(scene, model)) < 0.5  # 0.86 px at 480 wide
