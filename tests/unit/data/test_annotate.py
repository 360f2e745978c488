"""Annotations made from id maps: prompts, pieces, and that the embedded CLIP knows the words."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import yaml
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from semsplat.data.annotate import (
    Annotate,
    annotate_view,
    annotated_places,
    object_prompts,
    part_prompts,
)
from semsplat.data.annotations import filled, load_annotations
from semsplat.data.datasets import procedural
from semsplat.data.scene import load_ids, load_scene, load_semantics
from semsplat.data.world.kinds import make_world
from semsplat.data.world.replica_layout import semantic_info
from semsplat.data.world.vocabulary import STUFF, trained_texts

TABLE, LAMP, SECOND_LAMP, FLOOR = 1, 2, 3, 4
OBJECTS: list[dict[str, Any]] = [
    {"id": TABLE, "class_name": "table", "parts": [{"id": 11, "name": "top"}]},
    {
        **{"id": LAMP, "class_name": "lamp"},
        "parts": [{"id": 21, "name": "lamp"}, {"id": 22, "name": "shade"}],
    },
    {
        **{"id": SECOND_LAMP, "class_name": "lamp"},
        "parts": [{"id": 31, "name": "stand"}, {"id": 32, "name": "shade"}],
    },
    {
        **{"id": FLOOR, "class_name": "floor"},
        "parts": [{"id": 41, "name": "boards"}, {"id": 42, "name": "border"}],
    },
    {"id": 9, "class_id": 3},  # Replica's real scenes say less
]
ALL = Annotate(min_area_px=1, min_piece_px=1, also_train=True)


def view(
    instances: Any, parts: Any = None, options: Annotate = ALL, **changes: Any
) -> list[dict[str, Any]]:
    ids = np.array(instances, np.int32)
    found = ids * 0 if parts is None else np.array(parts, np.int32)
    return annotate_view(ids, found, OBJECTS, STUFF, options.model_copy(update=changes))


def test_prompts_are_things_and_parts_of_things_that_have_several() -> None:
    assert object_prompts(OBJECTS, STUFF) == {"table": [1], "lamp": [2, 3]}
    # not "table top", the only part; not "lamp lamp"; nothing of the floor
    assert part_prompts(OBJECTS, STUFF) == {"lamp shade": [22, 32], "lamp stand": [31]}
    assert part_prompts(OBJECTS)["floor boards"] == [41]


@pytest.mark.parametrize(
    ("n_views", "every", "also_train", "expected"),
    [
        (12, 4, False, {0, 4, 8}),
        (12, 4, True, {0, 2, 4, 6, 8, 10}),
        (60, 10, True, set(range(0, 60, 5))),
        (7, 5, True, {0, 2, 5}),  # half a step after the last there is no view
        (3, 2, True, {0, 1, 2}),
        (4, 3, True, {0, 1, 3}),
    ],
)
def test_all_held_out_views_are_labelled_and_as_many_of_the_others(
    n_views: int, every: int, also_train: bool, expected: set[int]
) -> None:
    assert annotated_places(n_views, every, also_train) == expected


def test_every_piece_is_an_object_with_its_box() -> None:
    row = [0, LAMP, LAMP, 0, LAMP, 0, SECOND_LAMP]
    empty = [0] * 7
    found = view([empty, row, row, empty])
    assert [entry["category"] for entry in found] == ["lamp"] * 3
    assert [entry["bbox"] for entry in found] == [[1, 1, 2, 2], [4, 1, 4, 2], [6, 1, 6, 2]]
    assert sorted(map(tuple, found[0]["segmentation"])) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert set(found[0]) == {"category", "bbox", "segmentation"}


def test_parts_come_after_objects_and_diagonal_neighbours_are_one_piece() -> None:
    found = view([[LAMP, 0], [0, LAMP]], [[22, 0], [0, 21]])
    assert [(e["category"], e["bbox"]) for e in found] == [
        ("lamp", [0, 0, 1, 1]),
        ("lamp shade", [0, 0, 0, 0]),
    ]


def test_stuff_and_what_is_too_small_is_left_out() -> None:
    ids = [[FLOOR, FLOOR, FLOOR, FLOOR, 0], [LAMP, LAMP, 0, SECOND_LAMP, 0], [TABLE, 0, 0, 0, 0]]
    assert {e["category"] for e in view(ids)} == {"lamp", "table"}
    # the second lamp is a piece of one pixel; without it two are left
    assert [e["bbox"] for e in view(ids, min_piece_px=2)] == [[0, 1, 1, 1]]
    assert view(ids, min_piece_px=2, min_area_px=3) == []
    assert len(view(ids, min_area_px=3)) == 2  # both lamps together have three


def test_something_inside_a_hole_is_a_piece_of_its_own() -> None:
    ids = np.full((7, 7), LAMP)
    ids[2:5, 2:5] = 0
    ids[3, 3] = LAMP
    assert [entry["bbox"] for entry in view(ids)] == [[0, 0, 6, 6], [3, 3, 3, 3]]


def test_what_is_mostly_hole_has_no_outline_of_its_own() -> None:
    ids = np.full((7, 7), LAMP)
    ids[1:6, 1:6] = TABLE  # 24 pixels around 25
    assert [entry["category"] for entry in view(ids)] == ["table"]
    ids[1, 1] = LAMP
    assert [entry["category"] for entry in view(ids)] == ["table", "lamp"]


@given(arrays(bool, (9, 11)))
def test_polygons_give_the_pieces_back_up_to_holes(mask: np.ndarray) -> None:
    found = view(mask * TABLE)
    eight = np.ones((3, 3), bool)
    pieces, count = ndimage.label(mask, eight)
    # a hole of an 8-connected piece is enclosed in the sense of 4 neighbours
    whole = [(pieces == n + 1, ndimage.binary_fill_holes(pieces == n + 1)) for n in range(count)]
    expected = {full.tobytes() for piece, full in whole if 2 * piece.sum() >= full.sum()}
    drawn = {filled([entry["segmentation"]], (11, 9)).tobytes() for entry in found}
    assert drawn == expected and len(found) == len(expected)


@pytest.fixture(scope="module")
def tabletop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw and import five views of a table top, of which 0, 2 and 4 are held out."""
    out = tmp_path_factory.mktemp("made") / "data/procedural/small"
    options = procedural.Options(
        kind="tabletop", seed=8, n_views=5, width_px=64, height_px=48, hfov_deg=68.0,
        test_every=2, n_points=50, sweep=None, point_noise_m=0.0,
        annotate=Annotate(min_area_px=30, min_piece_px=5, also_train=True),
    )  # fmt: skip
    procedural.draw(options, procedural.native_dir(out))
    procedural.import_scene("small", options, out)
    return out


def test_a_procedural_scene_is_annotated_from_its_own_ids(tabletop: Path) -> None:
    scene = load_scene(tabletop)
    assert all(frame.annotations_path for frame in scene.frames)  # 1 and 3 lie half-way
    parts = part_prompts(load_semantics(scene)["objects"], STUFF)
    seen = set()
    for frame in scene.frames:
        assert frame.instances_path is not None and frame.parts_path is not None
        ids = load_ids(frame.parts_path, frame)
        for prompt, annotation in load_annotations(frame).items():
            seen.add(prompt)
            assert annotation.mask.sum() >= 30
            if prompt in parts:
                own = np.isin(ids, parts[prompt])
                assert (own & annotation.mask).sum() > 0.8 * own.sum()
    assert {"table", "table top", "mug"} <= seen and not seen & set(STUFF)


def test_only_the_chosen_views_are_annotated(tabletop: Path) -> None:
    options = procedural.Options(
        kind="tabletop", seed=8, n_views=5, width_px=64, height_px=48, hfov_deg=68.0,
        test_every=4, n_points=50, sweep=None, point_noise_m=0.0,
        annotate=Annotate(min_area_px=30, min_piece_px=5, also_train=False),
    )  # fmt: skip
    procedural.import_scene("small", options, tabletop)
    scene = load_scene(tabletop)
    assert [frame.name for frame in scene.frames if frame.annotations_path] == ["rgb_0", "rgb_4"]


@cache
def known_tokens() -> frozenset[int]:
    tokens = open_clip.SimpleTokenizer(context_length=16)(list(trained_texts()))
    return frozenset(tokens.flatten().tolist())


def scene_worlds() -> list[tuple[str, int]]:
    config = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
    dataset = config["datasets"]["procedural"]
    every = [{**dataset["options"], **scene} for scene in dataset["scenes"].values()]
    return [(entry["kind"], entry["seed"]) for entry in every]


@pytest.mark.parametrize("world", [*scene_worlds(), ("room", 100), ("tabletop", 101)])
def test_the_embedded_clip_knows_the_words_of_all_prompts(world: tuple[str, int]) -> None:
    objects = semantic_info(make_world(*world), 8, 8, 60.0)["objects"]
    prompts = [*object_prompts(objects, STUFF), *part_prompts(objects, STUFF)]
    assert len(prompts) > 10 and len(set(prompts)) == len(prompts)
    tokens = open_clip.SimpleTokenizer(context_length=16)(prompts)
    assert set(tokens.flatten().tolist()) <= known_tokens()
