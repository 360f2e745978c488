"""The packed scene of the page: what is kept, in how many bytes, and what Gaussians answer."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.gaussians import relevancy_of
from semsplat.features.queries import Texts
from semsplat.figures import splats
from semsplat.figures.packed.arrays import Blob, write_packed
from semsplat.figures.packed.channels import Asked, channels_of, prompts_of
from semsplat.figures.packed.shapes import most_visible, pack_model, steps
from semsplat.figures.packed.votes import true_classes
from semsplat.splat.ply import read_ply, write_ply
from semsplat.train.model import open_field
from tests.unit.evaluate.model_helpers import balls, write_asked
from tests.unit.figures.conftest import OPTIONS, RUNS, SCENES
from tests.unit.figures.page_helpers import some_gaussians


def packed(**changes: Any) -> tuple[dict[str, Any], bytes]:
    """The packed toy scene and its bytes."""
    out = Path("paper_figures/splats.json")
    options = splats.Options.model_validate({**OPTIONS["splats"], **changes})
    splats.draw(SCENES[:1], options, out)
    header = json.loads(out.read_text())
    return header, zlib.decompress(b64decode(header["bytes"]))


def array(held: bytes, at: int, count: int, dtype: str = "u1") -> NDArray[Any]:
    return np.frombuffer(held, dtype, count, at)


def channel(header: dict[str, Any], group: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in header["channels"] if c["group"] == group)
    return found


@given(st.integers(0, 2**31 - 1))
def test_what_is_packed_comes_back_to_the_step(seed: int) -> None:
    gaussians, blob = some_gaussians(20), Blob()
    made = np.random.default_rng(seed)
    gaussians["means"] = torch.from_numpy(made.normal(0, 5, (20, 3))).float()
    rows = np.arange(3, 20)
    blob.add(np.zeros(3, np.uint8))
    model = pack_model(gaussians, rows, blob)
    held, at = zlib.decompress(b64decode(blob.text())), model["at"]
    assert (model["count"], model["of"]) == (17, 20)
    low, high = np.array(model["low"]), np.array(model["high"])
    positions = array(held, at["positions"], 51, "<u2").reshape(-1, 3)
    means = gaussians["means"].numpy()[rows]
    assert np.abs(low + positions / 65535 * (high - low) - means).max() <= np.ptp(means) / 65535
    smallest, largest = model["scales"]
    logs = smallest + array(held, at["scales"], 51).reshape(-1, 3) / 255 * (largest - smallest)
    span = (largest - smallest) / 255
    assert np.abs(logs - gaussians["scales"].numpy()[rows]).max() <= span
    turns = array(held, at["rotations"], 68, "i1").reshape(-1, 4) / 127
    units = torch.nn.functional.normalize(gaussians["quats"], dim=1).numpy()[rows]
    assert np.abs(turns - units).max() <= 0.5 / 127 + 1e-6
    opacity = array(held, at["colours"], 68).reshape(-1, 4)[:, 3] / 255
    assert (
        np.abs(opacity - gaussians["opacities"].sigmoid().numpy()[rows]).max() <= 0.5 / 255 + 1e-6
    )


def test_the_most_visible_are_kept_by_opacity_times_area() -> None:
    # areas 4, 4, 9, 1; the last is fainter than any that is drawn
    scales = torch.tensor([[2.0, 2, 1], [2, 1, 2], [3, 3, 3], [1, 1, 1], [50, 50, 50]]).log()
    opacities = torch.tensor([0.5, 0.9, 0.1, 0.8, 0.001]).logit()
    gaussians = {"scales": scales, "opacities": opacities}  # 2.0, 3.6, 0.9, 0.8
    assert most_visible(gaussians, 2).tolist() == [0, 1]
    assert most_visible(gaussians, 3).tolist() == [0, 1, 2]
    assert most_visible(gaussians, 9).tolist() == [0, 1, 2, 3]


def test_steps_cut_off_what_is_outside() -> None:
    assert steps(np.array([-1, 0, 0.5, 1, 2]), 0.0, 1.0, 255).tolist() == [0, 0, 128, 255, 255]
    assert steps(np.array([3.0]), 3.0, 3.0, 255).tolist() == [0]  # all alike


def test_equal_arrays_are_kept_once() -> None:
    blob = Blob()
    ones = np.ones(3, np.uint8)
    assert [blob.add(ones), blob.add(np.zeros(2, np.uint8)), blob.add(ones)] == [0, 3, 0]


def test_the_file_may_stand_inside_a_script_element(tmp_path: Path) -> None:
    write_packed(tmp_path / "a.json", {"note": "</script><b>"}, Blob())
    text = (tmp_path / "a.json").read_text()
    assert "<" not in text and json.loads(text)["note"] == "</script><b>"


def test_a_pixel_votes_by_what_a_gaussian_adds_to_it(results: Path) -> None:
    scene = load_scene(SCENES[0].scene_dir)  # left of column 8 is class 2, right of it class 5
    trained = open_field(RUNS[0].train_dir("flat"), "cpu").trained
    few = {key: value.repeat(2, *[1] * (value.dim() - 1)) for key, value in balls().items()}
    few["means"][2:] = torch.tensor([[0, 0, -50.0], [0, 0, -60.0]])  # behind every camera
    trained = type(trained)(few, 3, "white", "cpu")
    first = [frame for frame in scene.frames if frame.name == "left/a"]
    every = [*reversed(scene.frames)]  # the other cameras stand to the right of both balls
    for frames, expected in ((first, [2, 5, 0, 0]), (every, [2, 2, 0, 0])):
        found = true_classes(trained, replace(scene, frames=tuple(frames)), [2, 5, 7])
        assert found is not None and found.tolist() == expected


def test_trainings_with_equal_gaussians_share_them(results: Path) -> None:
    header, held = packed()
    assert len(header["models"]) == 1 and header["models"][0]["count"] == 2
    groups = [(c["group"], c["whose"]) for c in header["channels"]]
    first = "(a) flat and 1 with the same Gaussians"
    assert groups[:3] == [("colours", first), ("true classes", first), ("classes", "(a) flat")]
    assert {whose for group, whose in groups if group == "features"} == {
        "(a) flat",
        "(b) + coherent",
    }
    names = header["palettes"]["classes"]["names"]
    for group, expected in (("true classes", ["wall", "wall"]), ("classes", ["lamp", "rug"])):
        rows = array(held, channel(header, group)["at"], 2)
        assert [names[row] for row in rows] == expected, group


def test_other_gaussians_bring_their_own(results: Path) -> None:
    path = RUNS[0].train_dir("coherent") / "point_cloud.ply"
    moved = read_ply(path)
    write_ply(path, moved | {"means": moved["means"] + 0.01})
    header, _ = packed()
    assert len(header["models"]) == 2
    models = {c["whose"]: c["model"] for c in header["channels"] if c["group"] == "features"}
    assert models == {"(a) flat": 0, "(b) + coherent": 1}


def test_a_click_selects_what_is_alike(results: Path) -> None:
    header, held = packed()
    selected = [c for c in header["channels"] if c["group"] == "selected"]
    assert [c["asked"] for c in selected] == ["lamp"]  # where the wall was clicked nothing is drawn
    assert "pixel (11, 6) of view left/a, which was clicked" in selected[0]["note"]
    assert array(held, selected[0]["at"], 2).tolist() == [0, 1]  # the right ball is under it


def test_fewer_gaussians_are_kept_where_the_file_is_too_large(results: Path) -> None:
    for setting in ("flat", "coherent"):
        path = RUNS[0].train_dir(setting) / "point_cloud.ply"
        gaussians = read_ply(path)
        gaussians["opacities"][0] -= 1  # the right ball is seen better
        write_ply(path, gaussians)
    whole = len(packed()[0]["bytes"])
    header, held = packed(max_mb=(whole - 10) / 1e6)
    assert (header["models"][0]["count"], header["models"][0]["of"]) == (1, 2)
    assert len(header["bytes"]) <= whole - 10
    (row,) = array(held, channel(header, "classes")["at"], 1)
    assert header["palettes"]["classes"]["names"][row] == "rug"  # what the right one answers


def test_relevancy_is_what_the_field_says_of_each(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scene = RUNS[0].train_dir("flat"), load_scene(SCENES[0].scene_dir)
    write_asked(folder)
    field = open_field(folder, "cpu")
    monkeypatch.setattr(Texts, "encode", lambda self, prompts: torch.eye(8)[: len(prompts)])
    monkeypatch.setattr(Texts, "canonical", torch.eye(8)[-1:])
    asked = Asked(scene, Texts(None, "cpu"), prompts_of(scene, 2), "points")  # type: ignore[arg-type]
    found = [c for c in channels_of(field, "GAGS", asked, folder) if c.kind == "relevancy"]
    said = relevancy_of(field, torch.eye(8)[:2], torch.eye(8)[-1:]).numpy()
    assert [c.asked for c in found] == asked.prompts and len(found) == 2
    assert np.stack([c.values for c in found]).tolist() == said.tolist()
    monkeypatch.setattr(Texts, "encode", lambda self, prompts: torch.eye(9)[: len(prompts)])
    with pytest.raises(
        SemsplatError, match="GAGS: learned of vectors of 8 numbers, prompts have 9"
    ):
        list(channels_of(field, "GAGS", asked, folder))


def test_photographs_know_no_classes(tmp_path: Path) -> None:
    from semsplat.data.scene import load_scene
    from semsplat.figures.packed.palettes import known_classes
    from tests.unit.data.scene_helpers import write_tiny_scene
    from tests.unit.evaluate.feature_helpers import CLASSES, write_wall

    assert known_classes(load_scene(write_tiny_scene(tmp_path / "photographs"))) == {}
    assert known_classes(load_scene(write_wall(tmp_path / "wall"))) == CLASSES
