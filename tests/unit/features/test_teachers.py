"""Teachers: label maps and regions worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame
from semsplat.errors import SemsplatError
from semsplat.features import teachers
from semsplat.features.labels import (
    confidence_weights,
    labels_of_means,
    pseudo_labels,
    region_means,
    uniform_weights,
)
from semsplat.features.lessons import Lesson, Lessons, write_lesson
from semsplat.features.masks import Masks
from semsplat.features.regions import painted
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.features.teachers import (
    IGNORED,
    Sources,
    clip_regions,
    label_maps,
    teacher_kind,
    teacher_kinds,
    unlabelled,
)
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.feature_helpers import CLASSES

TEXT = np.eye(3, dtype=np.float32)[:2]  # class 1 and class 2; the third axis is neither
SURE, UNSURE, OTHER = (1.0, 0.0, 0.0), (0.0, 0.6, 0.8), (0.0, 1.0, 0.0)


def view_of(ids: Any, cells: list[tuple[float, ...]], n_regions: int = 0) -> ViewFeatures:
    """Return features of a picture of one row, or several layers of it, and a cell per pixel."""
    ids = np.atleast_2d(np.array(ids, np.int16))[:, None]
    dense = np.array(cells, np.float16).T[:, None]
    count = n_regions or int(ids.max()) + 1
    return ViewFeatures(ids, np.ones(count, np.float16), None, dense)


def frame_of(name: str = "v0", size: tuple[int, int] = (4, 1), **paths: Path) -> Frame:
    maps = {f"{kind}_path": paths.get(kind) for kind in ("depth", "labels", "instances", "parts")}
    width, height = size
    return Frame(
        name,
        np.eye(4),
        np.eye(3),
        width,
        height,
        Path("x.png"),
        **maps,
        annotations_path=None,
        depth_unit=1,
    )


def stored(folder: Path, ids: Any, name: str = "v0") -> Path:
    """Write an id map and return its path."""
    pixels = np.atleast_2d(np.array(ids, np.uint16))
    write_png(folder / f"{name}.png", pixels)
    return folder / f"{name}.png"


def clip_says(
    tmp_path: Path, view: ViewFeatures, text: np.ndarray = TEXT, **options: Any
) -> Lesson:
    write_view(tmp_path / "views/v0.npz", view)
    write_arrays(tmp_path / "text.npz", {"classes": text})
    sources = Sources(list(range(1, len(text) + 1)), SceneFeatures(tmp_path, {}))
    default = {"recipe": "regions", "weights": "uniform", "uncovered": "pixel_argmax"}
    return clip_regions.teach(
        frame_of(), clip_regions.Options.model_validate(default | options), sources
    )


def maps_say(frame: Frame, labels: Any = "scene", masks: Any = "components") -> Lesson:
    options = label_maps.Options(labels=str(labels), masks=str(masks))
    return label_maps.teach(frame, options, Sources(list(CLASSES), None))


# CLIP's opinion of regions


def test_a_region_takes_the_class_closest_to_the_mean_of_its_vectors(tmp_path: Path) -> None:
    # region 0 is (1, 1.2, 1.6) / 3, region 1 is class 1 alone, though its neighbours are not
    view = view_of([0, 0, 0, 1], [SURE, UNSURE, UNSURE, SURE])
    taught = clip_says(tmp_path, view)
    assert taught.labels.tolist() == [[2, 2, 2, 1]]
    assert taught.regions.tolist() == [[0, 0, 0, 1]]
    assert taught.labels.dtype == taught.regions.dtype == np.int32


def test_confidence_lets_one_sure_vector_outvote_two_unsure_ones(tmp_path: Path) -> None:
    # class 1: 1 x 1 = 1; class 2: 2 x 0.6 x 0.6 = 0.72
    view = view_of([0, 0, 0, 1], [SURE, UNSURE, UNSURE, OTHER])
    assert clip_says(tmp_path, view, weights="confidence").labels.tolist() == [[1, 1, 1, 2]]


def test_confidence_is_the_similarity_to_the_closest_class_and_never_negative() -> None:
    view = view_of([0, 0, 0, 0], [SURE, UNSURE, (0.8, 0.6, 0.0), (-0.6, -0.8, 0.0)])
    assert confidence_weights(view, TEXT) == pytest.approx([1.0, 0.6, 0.8, 0.0], abs=1e-3)
    assert uniform_weights(view).tolist() == [1, 1, 1, 1]


def test_a_weighted_mean_is_divided_by_its_weights() -> None:
    view = view_of([0, 0, 0, -1], [SURE, OTHER, OTHER, OTHER])
    means = region_means(view, np.array([2, 1, 1, 9], np.float32))
    assert means.tolist() == [[0.5, 0.5, 0]]


def test_a_region_of_which_clip_is_sure_of_nothing_counts_all_its_cells_alike(
    tmp_path: Path,
) -> None:
    # every similarity is negative, so every weight is 0; class 2 is the less unlike
    view = view_of([0, 0, 0, 0], [(-0.8, -0.6, 0.0)] * 4)
    assert clip_says(tmp_path, view, weights="confidence").labels.tolist() == [[2, 2, 2, 2]]


def test_a_cell_counts_by_the_share_that_the_region_covers() -> None:
    # two cells over four pixels: region 0 is the whole of one and half of the other
    view = view_of([0, 0, 0, 1], [SURE, OTHER])
    means = region_means(view, uniform_weights(view))
    assert means == pytest.approx(np.array([[2 / 3, 1 / 3, 0], [0, 1, 0]]), abs=1e-6)


@pytest.mark.parametrize(("uncovered", "outside"), [("pixel_argmax", [2, 1]), ("ignore", [0, 0])])
def test_pixels_outside_all_regions(tmp_path: Path, uncovered: str, outside: list[int]) -> None:
    view = view_of([-1, -1, 0, 0], [OTHER, SURE, SURE, OTHER])
    view.dense[:, :, 3] = view.dense[:, :, 2]
    taught = clip_says(tmp_path, view, uncovered=uncovered)
    assert taught.labels.tolist() == [[*outside, 1, 1]]
    assert taught.regions.tolist() == [[-1, -1, 0, 0]]


@pytest.mark.parametrize(
    ("uncovered", "all_labels"), [("pixel_argmax", [1, 2, 2, 1]), ("ignore", [0] * 4)]
)
def test_a_view_without_any_region(tmp_path: Path, uncovered: str, all_labels: list[int]) -> None:
    view = view_of([-1] * 4, [SURE, OTHER, OTHER, SURE])
    assert len(view.scores) == 0
    taught = clip_says(tmp_path, view, uncovered=uncovered)
    assert taught.labels.tolist() == [all_labels]
    assert (taught.regions == -1).all()


def test_one_class_is_the_class_of_everything_it_may_be(tmp_path: Path) -> None:
    view = view_of([-1, 0, 0, 1], [SURE, SURE, OTHER, (0.0, 0.0, 1.0)])
    assert clip_says(tmp_path, view, TEXT[:1]).labels.tolist() == [[1, 1, 1, 1]]
    view = view_of([-1, 0, 0, 1], [SURE, SURE, OTHER, (0.0, 0.0, 1.0)])
    taught = clip_says(tmp_path, view, TEXT[:1], uncovered="ignore")
    assert taught.labels.tolist() == [[IGNORED, 1, 1, 1]]


def test_a_mask_painted_later_takes_its_pixels_from_the_one_below(tmp_path: Path) -> None:
    large, small = np.array([[1, 1, 1, 1]], bool), np.array([[0, 1, 0, 0]], bool)
    cells = [SURE, OTHER, SURE, SURE]
    for order, expected in (((large, small), [1, 2, 1, 1]), ((small, large), [1, 1, 1, 1])):
        ids = painted(Masks(np.stack(order), np.ones(2, np.float32)), 0)
        taught = clip_says(tmp_path, view_of(ids, cells, n_regions=2))
        assert taught.labels.tolist() == [expected]


def test_only_the_first_layer_counts(tmp_path: Path) -> None:
    view = view_of([[0, 0, 0, -1], [1, 1, 1, 1]], [SURE, OTHER, OTHER, SURE])
    taught = clip_says(tmp_path, view)
    assert taught.labels.tolist() == [[2, 2, 2, 1]]
    assert taught.regions.tolist() == [[0, 0, 0, -1]]


def test_a_layer_without_pixels_leaves_all_to_its_elsewhere() -> None:
    view = view_of([[-1, -1], [0, 0]], [SURE, SURE])
    elsewhere = np.array([[2, 0]], np.int32)
    labels = labels_of_means(view, TEXT, uniform_weights(view), elsewhere)
    assert labels.tolist() == [[2, 0]]


CELLS = arrays(np.int64, (4,), elements=st.integers(0, 2))
IDS = arrays(np.int16, (4,), elements=st.integers(-1, 2))


@given(ids=IDS, cells=CELLS)
def test_a_region_has_one_label_and_equal_weights_make_the_pseudo_labels(
    ids: np.ndarray, cells: np.ndarray
) -> None:
    view = view_of(ids, [tuple(row) for row in np.eye(3)[cells]], n_regions=3)
    twice = labels_of_means(view, TEXT, 2 * uniform_weights(view), pseudo_labels(view, TEXT))
    assert np.array_equal(twice, pseudo_labels(view, TEXT))
    for region in range(3):
        assert len(np.unique(twice[0][ids == region])) <= 1
    assert set(np.unique(twice)) <= {1, 2}


def test_a_recipe_without_dense_maps_is_one_line(tmp_path: Path) -> None:
    view = view_of([0, 0, 1, 1], [SURE] * 4)
    with one_line_error("no dense maps", "value_maps"):
        clip_says(tmp_path, ViewFeatures(view.ids, view.scores, None, None))


# label maps from disk


def test_classes_are_numbered_in_the_order_of_the_scenes_list(tmp_path: Path) -> None:
    path = stored(tmp_path, [9, 0, 5, 2])  # ids 2, 5 and 9 are classes 1, 2 and 3
    taught = maps_say(frame_of(labels=path))
    assert taught.labels.tolist() == [[3, 0, 2, 1]]
    assert taught.labels.dtype == taught.regions.dtype == np.int32


def test_a_list_of_classes_need_not_be_sorted(tmp_path: Path) -> None:
    frame = frame_of(labels=stored(tmp_path, [9, 0, 5, 2]))
    options = label_maps.Options(labels="scene", masks="components")
    taught = label_maps.teach(frame, options, Sources([9, 2, 5], None))
    assert taught.labels.tolist() == [[1, 0, 3, 2]]


def test_two_separate_pieces_of_one_class_are_two_regions(tmp_path: Path) -> None:
    frame = frame_of(
        size=(5, 3), labels=stored(tmp_path, [[2, 2, 0, 2, 5], [0, 0, 0, 2, 5], [0, 0, 5, 0, 0]])
    )
    regions = maps_say(frame).regions
    # the lone 5 below touches the right piece of 2, which is another class, at a corner only
    assert regions.tolist() == [[0, 0, -1, 1, 2], [-1, -1, -1, 1, 2], [-1, -1, 3, -1, -1]]


def test_pieces_that_touch_at_a_corner_are_one_region(tmp_path: Path) -> None:
    frame = frame_of(size=(2, 2), labels=stored(tmp_path, [[2, 0], [0, 2]]))
    assert maps_say(frame).regions.tolist() == [[0, -1], [-1, 0]]


def test_void_alone_teaches_nothing(tmp_path: Path) -> None:
    taught = maps_say(frame_of(labels=stored(tmp_path, [0, 0, 0, 0])))
    assert taught.labels.tolist() == [[0] * 4] and taught.regions.tolist() == [[-1] * 4]


def test_the_instances_of_the_scene_are_numbered_from_0(tmp_path: Path) -> None:
    labels, instances = (
        stored(tmp_path / kind, ids) for kind, ids in (("l", [2, 2, 5, 5]), ("i", [40, 7, 0, 7]))
    )
    frame = frame_of(labels=labels, instances=instances)
    taught = maps_say(frame, masks="scene")
    assert taught.regions.tolist() == [[1, 0, -1, 0]]  # an instance in two pieces is one region
    assert taught.labels.tolist() == [[1, 1, 2, 2]]


def test_instances_that_cover_every_pixel_start_at_0_as_well(tmp_path: Path) -> None:
    labels, instances = stored(tmp_path / "l", [2] * 4), stored(tmp_path / "i", [3, 3, 8, 8])
    taught = maps_say(frame_of(labels=labels, instances=instances), masks="scene")
    assert taught.regions.tolist() == [[0, 0, 1, 1]]


def test_folders_of_pictures_replace_the_scenes_maps(tmp_path: Path) -> None:
    truth = stored(tmp_path / "truth", [9, 9, 9, 9], "left/v0")
    stored(tmp_path / "mine", [2, 2, 5, 0], "left/v0")
    stored(tmp_path / "masks", [6, 0, 1, 1], "left/v0")
    frame = frame_of("left/v0", labels=truth, instances=truth)
    taught = maps_say(frame, tmp_path / "mine", tmp_path / "masks")
    assert taught.labels.tolist() == [[1, 1, 2, 0]]
    assert taught.regions.tolist() == [[1, -1, 0, 0]]


@pytest.mark.parametrize("strange", [3, 10, 60_000])
def test_a_class_that_the_scene_does_not_name_is_one_line(tmp_path: Path, strange: int) -> None:
    path = stored(tmp_path, [2, strange, 0, 5])
    with one_line_error(str(path), f"class {strange}", "semantics.json"):
        maps_say(frame_of(labels=path))


def test_a_view_without_a_label_map_is_one_line() -> None:
    with one_line_error("'v0'", "no label map"):
        maps_say(frame_of())


def test_a_view_without_instances_is_one_line(tmp_path: Path) -> None:
    with one_line_error("'v0'", "no instances", "components"):
        maps_say(frame_of(labels=stored(tmp_path, [2] * 4)), masks="scene")


def test_a_file_that_a_folder_lacks_is_one_line(tmp_path: Path) -> None:
    frame = frame_of(labels=stored(tmp_path, [2] * 4))
    with one_line_error("mine/v0.png", "no such file"):
        maps_say(frame, labels=tmp_path / "mine")
    with one_line_error("masks/v0.png", "no such file"):
        maps_say(frame, masks=tmp_path / "masks")


def test_a_map_of_another_size_is_one_line(tmp_path: Path) -> None:
    with one_line_error("v0.png", "3x1", "4x1"):
        maps_say(frame_of(labels=stored(tmp_path, [2] * 3)))


def test_more_regions_than_a_byte_holds_survive(tmp_path: Path) -> None:
    size = 40  # single pixels of one class, two apart: 20 x 20 regions
    labels = np.zeros((size, size), int)
    labels[::2, ::2] = 2
    many = np.arange(size * size).reshape(size, size)
    frame = frame_of(
        size=(size, size),
        labels=stored(tmp_path / "l", labels),
        instances=stored(tmp_path / "i", many),
    )
    pieces, instances = maps_say(frame).regions, maps_say(frame, masks="scene").regions
    assert np.unique(pieces).tolist() == list(range(-1, 400))
    assert np.array_equal(instances, many - 1)
    write_lesson(tmp_path / "out", "v0", Lesson(labels.astype(np.int32), instances, None))
    again = Lessons(tmp_path / "out", {}).view("v0")
    assert np.array_equal(again.regions, instances) and again.regions.dtype == np.int32


@given(labels=arrays(np.int32, (5, 6), elements=st.sampled_from([0, 1, 2])))
def test_components_are_what_opencv_finds_class_by_class(labels: np.ndarray) -> None:
    options = label_maps.Options(labels="scene", masks="components")
    regions = label_maps._regions(frame_of(size=(6, 5)), options, labels)
    assert np.array_equal(regions >= 0, labels > 0)
    count = 0
    for number in (1, 2):
        found, pieces = cv2.connectedComponents((labels == number).astype(np.uint8), connectivity=8)
        count += found - 1
        for piece in range(1, found):
            assert len(np.unique(regions[pieces == piece])) == 1
    assert len(np.unique(regions[regions >= 0])) == count == regions.max() + 1


# what teachers say about themselves


@pytest.mark.parametrize(
    ("labels", "masks", "truth", "folders"),
    [
        ("scene", "components", True, []),
        ("maps/a", "scene", True, ["maps/a"]),
        ("scene", "scene", True, []),
        ("maps/a", "components", False, ["maps/a"]),
        ("maps/a", "maps/b", False, ["maps/a", "maps/b"]),
    ],
)
def test_who_reads_the_scenes_own_maps_declares_it(
    labels: str, masks: str, truth: bool, folders: list[str]
) -> None:
    options = label_maps.Options(labels=labels, masks=masks)
    assert label_maps.declares_truth(options) is truth
    assert label_maps.folders(options) == folders
    assert label_maps.recipe(options) is None


def test_clip_reads_its_recipe_and_no_truth() -> None:
    options = clip_regions.Options(recipe="fine", weights="uniform", uncovered="ignore")
    assert clip_regions.declares_truth(options) is False
    assert clip_regions.folders(options) == []
    assert clip_regions.recipe(options) == "fine"


@pytest.mark.parametrize("name", teacher_kinds())
def test_every_kind_has_what_the_phase_asks_for(name: str) -> None:
    kind = teacher_kind(name)
    assert all(
        callable(getattr(kind, part)) for part in ("teach", "recipe", "folders", "declares_truth")
    )
    assert all(field.is_required() for field in kind.Options.model_fields.values())


def test_the_kinds_are_the_files_of_the_package() -> None:
    assert {"clip_regions", "label_maps"} <= set(teacher_kinds())
    assert len(teacher_kinds()) == len(list(Path(teachers.__file__).parent.glob("[a-z]*.py")))


def test_a_broken_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "v0.png").write_bytes(b"not a picture")
    with pytest.raises(SemsplatError, match="not a readable image"):
        maps_say(frame_of(), labels=tmp_path)


def test_regions_without_labels_teach_no_class(tmp_path: Path) -> None:
    """Their recipe's first layer, for methods that learn from tracks alone."""
    write_view(tmp_path / "views/v0.npz", view_of([[0, 0, -1, 1], [1, 1, 1, 1]], [SURE] * 4))
    write_manifest(tmp_path, {"layers": ["all", "more"]})
    sources = Sources([], open_features(tmp_path))
    lesson = unlabelled.teach(frame_of(), unlabelled.Options(recipe="regions"), sources)
    assert lesson.regions.tolist() == [[0, 0, -1, 1]] and lesson.regions.dtype == np.int32
    assert (lesson.labels == IGNORED).all() and lesson.tracks is None
    assert not unlabelled.declares_truth(unlabelled.Options(recipe="regions"))
