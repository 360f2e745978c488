"""Class maps of a trained setting: from a model on disk to predictions on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from semsplat.data.images import read_ids, read_rgb
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import load_scene
from semsplat.folders import MARKER, mark
from semsplat.geometry.trained import open_geometry, pixels, render
from semsplat.io import read_json, sha256_file
from semsplat.splat.ply import write_ply
from semsplat.train.attached import SEMANTICS
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.job_helpers import CLASS_ANSWERS, run_predict
from tests.unit.evaluate.model_helpers import (
    CLASS_IDS,
    HELD,
    balls,
    hand_made,
    write_model,
    write_scene,
)

# A ball covers exp(-dx² / 2.7 - dy² / 2.8) of a pixel: 1 px of radius and the 0.3 px² that 3DGS
# adds.  It counts where that is more than 0.03, the bias of the decoder below: 2.5 px along one
# axis and 1.5 along the other give 0.04, twice 2.5 px and 3.5 px along one give 0.01.
SHAPES = (
    "................",
    "................",
    "................",
    "..llll....rrrr..",
    ".llllll..rrrrrr.",
    ".llllll..rrrrrr.",
    ".llllll..rrrrrr.",
    ".llllll..rrrrrr.",
    "..llll....rrrr..",
    "................",
    "................",
    "................",
)
EXPECTED = np.array(CLASS_IDS)[
    np.array([[".lr".index(letter) for letter in row] for row in SHAPES])
]


def predicted(tmp_path: Path, method_name: str = "clip_gs") -> Path:
    model = write_model(tmp_path / "model", method_name)
    run_predict(CLASS_ANSWERS, write_scene(tmp_path / "scene"), model, tmp_path / "out")
    return tmp_path / "out"


def class_map(out: Path, name: str) -> np.ndarray:
    return read_ids(out / "classes" / f"{name}.png", (16, 12))


def test_each_pixel_has_the_class_of_the_ball_it_shows(tmp_path: Path) -> None:
    out = predicted(tmp_path)
    assert (class_map(out, "near") == EXPECTED).all()
    assert (class_map(out, "cam/near") == EXPECTED).all()
    # the bias alone speaks where nothing is
    assert (class_map(out, "far") == CLASS_IDS[0]).all()


def test_vectors_of_any_length_have_the_class_of_the_nearest_text(tmp_path: Path) -> None:
    shown = class_map(predicted(tmp_path, "feature_3dgs"), "near")
    # as soon as a ball is seen at all it counts: the direction of a vector does not fade
    covered = CLASS_IDS[0] != EXPECTED
    assert (shown[covered] == EXPECTED[covered]).all()
    assert np.count_nonzero(shown == CLASS_IDS[1]) > covered.sum() // 2
    assert (shown[[0, 0, -1, -1], [0, -1, 0, -1]] == CLASS_IDS[0]).all()


def test_class_maps_are_of_all_views_and_colours_of_held_out_ones(tmp_path: Path) -> None:
    out = predicted(tmp_path)
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert files == [
        MARKER,
        *("cam/far.npz", "cam/far.png", "cam/near.npz", "cam/near.png"),
        *(f"classes/{name}.png" for name in ("cam/far", "cam/near", "far", "near")),
        "manifest.json",
    ]


@pytest.mark.parametrize("method_name", HELD)
def test_colours_and_depth_are_those_without_classes(tmp_path: Path, method_name: str) -> None:
    out = predicted(tmp_path, method_name)
    run_predict(("colours",), tmp_path / "scene", tmp_path / "model", tmp_path / "plain")
    for name in ("cam/near", "cam/far"):
        image, plain = (read_rgb(d / f"{name}.png", (16, 12)) for d in (out, tmp_path / "plain"))
        assert (image == plain).all()
        with np.load(out / f"{name}.npz") as a, np.load(tmp_path / f"plain/{name}.npz") as b:
            assert (a["depth"] == b["depth"]).all() and a["depth"].dtype == np.float16
    near = read_rgb(out / "cam/near.png", (16, 12))
    assert (near[0] == 255).all() and near[6, 4, 0] > near[6, 4, 2]  # left: red, right: blue
    assert near[6, 12, 2] > near[6, 12, 0]


def test_the_manifest_names_the_model_and_covers_every_file(tmp_path: Path) -> None:
    out = predicted(tmp_path)
    manifest = read_json(out / "manifest.json")
    assert manifest["model"] == sha256_file(tmp_path / "model/point_cloud.ply")
    assert manifest["device"] == "cpu" and len(manifest["files"]) == 8
    verify_manifest(out)


def test_rendering_again_gives_the_same_bytes_and_leaves_nothing_old(tmp_path: Path) -> None:
    first = (predicted(tmp_path) / "manifest.json").read_bytes()
    (tmp_path / "out/classes/old.png").touch()
    mark(tmp_path / "out")
    assert (predicted(tmp_path) / "manifest.json").read_bytes() == first
    assert not (tmp_path / "out/classes/old.png").exists()


def test_a_model_that_cannot_be_read_leaves_no_predictions(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    (model / "semantics.safetensors").unlink()
    with one_line_error("semantics.safetensors"):
        run_predict(CLASS_ANSWERS, write_scene(tmp_path / "scene"), model, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


# the model on disk


@pytest.mark.parametrize("method_name", HELD)
def test_a_field_is_read_back_as_it_was_written(tmp_path: Path, method_name: str) -> None:
    field = open_field(write_model(tmp_path, method_name), "cpu")
    assert torch.equal(field.semantics, HELD[method_name])
    assert field.facts.class_ids == CLASS_IDS
    expected = hand_made(method_name).state_dict()
    found = field.decoder.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert torch.equal(field.trained.gaussians["means"], balls()["means"])
    assert (field.trained.sh_degree, field.trained.background) == (3, "white")


def test_writing_again_gives_the_same_bytes_and_nothing_else(tmp_path: Path) -> None:
    written = {(write_model(tmp_path) / "semantics.safetensors").read_bytes() for _ in range(8)}
    assert len(written) == 1
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert names == ["point_cloud.ply", "run.json", "semantics.safetensors"]


@pytest.mark.parametrize("name", ["point_cloud.ply", "semantics.safetensors", "run.json"])
def test_a_field_without_one_of_its_files_is_one_line(tmp_path: Path, name: str) -> None:
    (write_model(tmp_path) / name).unlink()
    with one_line_error(name, "no such file"):
        open_field(tmp_path, "cpu")


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\xff" * 64])
def test_a_broken_archive_is_one_line(tmp_path: Path, content: bytes) -> None:
    (write_model(tmp_path) / "semantics.safetensors").write_bytes(content)
    with one_line_error("semantics.safetensors", "not a readable archive"):
        open_field(tmp_path, "cpu")


def test_a_truncated_archive_is_one_line(tmp_path: Path) -> None:
    path = write_model(tmp_path) / "semantics.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with one_line_error("semantics.safetensors", "not a readable archive"):
        open_field(tmp_path, "cpu")


def test_semantics_of_other_gaussians_are_one_line(tmp_path: Path) -> None:
    write_ply(write_model(tmp_path) / "point_cloud.ply", balls(1))
    with one_line_error("semantics.safetensors", "other Gaussians", "train again"):
        open_field(tmp_path, "cpu")


FACTS = {"method": "clip_gs", "class_ids": [2], "shape": {"dim": 2, "n_classes": 1}}
ONE_CLASS = {"field": json.dumps(FACTS)}


@pytest.mark.parametrize(
    ("tensors", "facts"),
    [
        ({SEMANTICS: torch.zeros(2, 2)}, None),
        ({SEMANTICS: torch.zeros(2, 2)}, {"format": "pt"}),
        ({SEMANTICS: torch.zeros(2, 2)}, {"field": json.dumps({"method": "clip_gs"})}),
        ({"decoder.weight": torch.zeros(1, 2), "decoder.bias": torch.zeros(1)}, ONE_CLASS),
        ({SEMANTICS: torch.zeros(2, 2)}, ONE_CLASS),
        ({SEMANTICS: torch.zeros(2, 2), "decoder.weight": torch.zeros(9, 2)}, ONE_CLASS),
    ],
)
def test_an_archive_of_something_else_is_one_line(
    tmp_path: Path, tensors: dict[str, Tensor], facts: dict[str, str] | None
) -> None:
    save_file(tensors, write_model(tmp_path) / "semantics.safetensors", metadata=facts)
    with one_line_error("semantics.safetensors", "train again"):
        open_field(tmp_path, "cpu")


# the pass that draws both


def test_signals_are_blended_over_zeros_between_colours_and_depth(tmp_path: Path) -> None:
    scene = load_scene(write_scene(tmp_path / "scene"))
    frames = {frame.name: frame for frame in scene.frames}
    trained = open_geometry(write_model(tmp_path / "model"), "cpu")
    signals = torch.tensor([[1.0, -2.0], [0.0, 0.0]])
    image, alpha = render(trained, frames["near"], signals)
    assert image.shape == (12, 16, 3 + 2 + 1) and alpha.shape == (12, 16)
    left = slice(0, 7), alpha[:, :7]  # columns that the right ball does not reach
    assert torch.allclose(image[:, left[0], 3], left[1], atol=1e-6)
    assert torch.allclose(image[:, left[0], 4], -2 * left[1], atol=1e-6)
    assert alpha[6, 4] > 0.8 and image[6, 4, -1] == pytest.approx(3.0, abs=0.01)
    far, nothing = render(trained, frames["far"], signals)
    assert (far[..., :3] == 1).all() and not far[..., 3:5].any() and not nothing.any()


def test_pixels_are_rounded_and_clamped_and_empty_ones_have_no_depth() -> None:
    image = torch.tensor([[[-0.5, 0.5, 1.5, 9.0, 2.25], [0.0, 0.1, 1.0, 9.0, 7.0]]])
    colours, depth = pixels(image, torch.tensor([[0.3, 0.0]]))
    assert colours.tolist() == [[[0, 128, 255], [0, 26, 255]]] and colours.dtype == np.uint8
    assert depth.tolist() == [[2.25, 0.0]] and depth.dtype == np.float16
