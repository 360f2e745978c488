"""What is written from a procedural scene in a published layout comes back from its importer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from native_writers import draw_tabletop
from published_writers import NYU40, write_lerf_ovs, write_mipnerf360, write_scannet

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import lerf_ovs, mipnerf360, scannet
from semsplat.data.scene import (
    Frame,
    Scene,
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)

ORIGIN = {"source": "a test", "licence": "none"}
RELEASE = {"max_width_px": None, **ORIGIN}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return draw_tabletop(tmp_path_factory.mktemp("drawn"))


def assert_cameras(scene: Scene, drawn: Scene, atol: float) -> None:
    assert len(scene.frames) == len(drawn.frames)
    for frame, former in pairs(scene, drawn):
        np.testing.assert_allclose(frame.viewmat, former.viewmat, rtol=0, atol=atol)
        np.testing.assert_allclose(frame.K, former.K, rtol=0, atol=1e-9)


def pairs(scene: Scene, drawn: Scene) -> list[tuple[Frame, Frame]]:
    """Every frame beside the one it was written from, in the order of the numbers."""
    ordered = sorted(scene.frames, key=lambda frame: int(frame.name.removeprefix("rgb_")))
    return list(zip(ordered, drawn.frames, strict=True))


def assert_prompts(scene: Scene, drawn: Scene) -> None:
    labelled = 0
    for frame, former in pairs(scene, drawn):
        assert bool(frame.annotations_path) == bool(former.annotations_path)
        if former.annotations_path is None:
            continue
        labelled += 1
        found, expected = load_annotations(frame), load_annotations(former)
        assert found.keys() == expected.keys() and len(expected) > 3
        for prompt, annotation in expected.items():
            np.testing.assert_array_equal(found[prompt].mask, annotation.mask)
            np.testing.assert_array_equal(found[prompt].boxes, annotation.boxes)
    assert labelled > 1


@pytest.mark.parametrize("held_out", [False, True])
def test_lerf_ovs(drawn: Scene, tmp_path: Path, held_out: bool) -> None:
    write_lerf_ovs(drawn, tmp_path / "desk", tmp_path / "label/desk")
    places = {"root": str(tmp_path / "desk"), "labels": str(tmp_path / "label/desk")}
    options = lerf_ovs.Options(**places, **RELEASE, held_out=held_out)
    lerf_ovs.import_scene("desk", options, tmp_path / "out/desk")
    scene = load_scene(tmp_path / "out/desk")
    assert_cameras(scene, drawn, 1e-9)
    assert_prompts(scene, drawn)
    np.testing.assert_array_equal(load_points(scene)[0], load_points(drawn)[0])
    for frame, former in pairs(scene, drawn):
        np.testing.assert_array_equal(load_image(frame), load_image(former))
    labelled = {frame.name for frame in scene.frames if frame.annotations_path}
    assert {frame.name for frame in scene.test} == (labelled if held_out else set())


def test_mip_nerf_360(drawn: Scene, tmp_path: Path) -> None:
    write_mipnerf360(drawn, tmp_path / "desk", tmp_path / "labels/desk")
    places = {"root": str(tmp_path / "desk"), "labels": str(tmp_path / "labels/desk")}
    options = mipnerf360.Options(**places, **RELEASE, images="images_2", held_out=True)
    mipnerf360.import_scene("desk", options, tmp_path / "out/desk")
    scene = load_scene(tmp_path / "out/desk")
    assert_cameras(scene, drawn, 1e-9)
    assert_prompts(scene, drawn)
    for frame, former in pairs(scene, drawn):
        np.testing.assert_array_equal(load_image(frame), load_image(former))


def test_scannet(drawn: Scene, tmp_path: Path) -> None:
    write_scannet(drawn, tmp_path / "desk", tmp_path / "labels.tsv")
    first = drawn.frames[0]
    options = scannet.Options(
        root=str(tmp_path / "desk"), label_table=str(tmp_path / "labels.tsv"), n_frames=None,
        frame_step=1, test_every=3, width_px=first.width, height_px=first.height, n_points=50,
        point_noise_m=0.0, points_seed=0, **ORIGIN,
    )  # fmt: skip
    scannet.import_scene("desk", options, tmp_path / "out/desk")
    scene = load_scene(tmp_path / "out/desk")
    assert_cameras(scene, drawn, 1e-9)
    raw = {entry["id"]: entry["name"] for entry in load_semantics(drawn)["classes"]}
    table = np.zeros(max(raw) + 1, int)
    for number, name in raw.items():
        table[number] = NYU40.get(name, (0, ""))[0]
    for frame, former in pairs(scene, drawn):
        assert frame.labels_path is not None and former.labels_path is not None
        expected = table[load_ids(former.labels_path, former)]
        np.testing.assert_array_equal(load_ids(frame.labels_path, frame), expected)
        np.testing.assert_allclose(load_depth(frame), load_depth(former), rtol=0, atol=5.1e-4)
        off = np.abs(load_image(frame).astype(float) - load_image(former))
        assert off.mean() < 4  # JPEG
    names = {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}
    known = {number: name for number, name in NYU40.values()}
    assert names == {number: known[number] for number in names} and len(names) > 3
