"""The files on disk: Semantic-NeRF's Replica layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.raycast import camera_path, develop, measure_exposure, render_view
from semsplat.data.world.replica_layout import draw_world
from semsplat.errors import SemsplatError
from semsplat.folders import MARKER
from semsplat.io import read_json, sha256_file

FOLDERS = {
    "rgb": np.uint8,
    "depth": np.uint16,
    "semantic_class": np.uint8,
    "semantic_instance": np.uint16,
    "semantic_part": np.uint16,
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "room_3"
    draw_world("room", 3, 3, 64, 48, 60.0, out)
    return out


def pixels(root: Path, kind: str, index: int) -> np.ndarray:
    return np.asarray(Image.open(root / "Sequence_1" / kind / f"{kind}_{index}.png"))


def test_files_have_the_right_shapes_and_types(drawn: Path):
    for kind, dtype in FOLDERS.items():
        for index in range(3):
            image = pixels(drawn, kind, index)
            assert image.shape[:2] == (48, 64)
            assert image.dtype == dtype
    files = [p for p in drawn.rglob("*") if p.is_file() and p.name != MARKER]
    assert len(files) == 3 * len(FOLDERS) + 2


def test_trajectory_is_the_camera_path(drawn: Path):
    lines = np.loadtxt(drawn / "Sequence_1" / "traj_w_c.txt")
    np.testing.assert_array_equal(lines.reshape(-1, 4, 4), camera_path(make_world("room", 3), 3))


def test_info_names_every_id(drawn: Path):
    info = read_json(drawn / "info_semantic.json")
    assert [c["name"] for c in info["classes"]] == list(CLASSES)
    assert [c["id"] for c in info["classes"]] == list(range(1, 15))
    assert info["camera"] == {"width": 64, "height": 48, "hfov_deg": 60.0}
    class_of = {o["id"]: o["class_id"] for o in info["objects"]}
    owner = {p["id"]: o["id"] for o in info["objects"] for p in o["parts"]}
    for index in range(3):
        kinds, instances, parts = (
            pixels(drawn, f"semantic_{name}", index).ravel()
            for name in ("class", "instance", "part")
        )
        for kind, instance, part in np.unique([kinds, instances, parts], axis=1).T.tolist():
            assert class_of[instance] == kind
            assert owner[part] == instance


def test_depth_is_in_millimetres(drawn: Path):
    world = make_world("room", 3)
    view = render_view(world, camera_path(world, 3)[1], 64, 48, 60.0)
    np.testing.assert_allclose(pixels(drawn, "depth", 1), view.depth * 1000, atol=0.5)


def test_same_seed_same_bytes(drawn: Path, tmp_path: Path):
    draw_world("room", 3, 3, 64, 48, 60.0, tmp_path / "again")
    for path in sorted(p for p in drawn.rglob("*") if p.is_file()):
        assert sha256_file(path) == sha256_file(tmp_path / "again" / path.relative_to(drawn))


@pytest.mark.parametrize("kind", ["room", "tabletop"])
@pytest.mark.parametrize("seed", [0, 7])
def test_photographs_are_well_exposed(kind: str, seed: int):
    world = make_world(kind, seed)
    exposure = measure_exposure(world, 60.0)
    rng = np.random.default_rng(0)
    for pose in camera_path(world, 3):
        photo = develop(render_view(world, pose, 80, 60, 60.0).radiance, exposure, rng)
        grey = photo.mean(axis=-1)
        assert 85 < grey.mean() < 185
        assert np.mean(grey > 250) < 0.01
        assert np.mean(grey < 8) < 0.05


def test_sensor_noise_is_half_a_level():
    flat = np.full((64, 64, 3), 0.3, np.float32)
    clean = develop(flat, 1.0, np.random.default_rng(0)).astype(float)
    assert 0.4 < clean.std() < 0.8


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rooom", 0, 1, 8, 8, 60.0), "did you mean 'room'"),
        (("room", -1, 1, 8, 8, 60.0), "negative"),
        (("room", 0, 0, 8, 8, 60.0), "at least 1"),
        (("room", 0, 1, 8, 8, 180.0), "field of view"),
    ],
)
def test_bad_requests_are_one_line_errors(args, message: str, tmp_path: Path):
    with pytest.raises(SemsplatError, match=message) as caught:
        draw_world(*args, tmp_path / "x")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()
