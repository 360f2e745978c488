"""Tracks: which regions of neighbouring views are one, on a wall whose disparity is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from semsplat.data.images import write_png
from semsplat.data.scene import load_depth, load_scene
from semsplat.features import tracks
from semsplat.features.tracks import (
    depth_warp,
    id_maps,
    instances,
    sam2_video,
    track_kind,
    track_kinds,
)
from semsplat.features.tracks.depth_warp import pairwise_iou
from semsplat.params.hub import HubModel
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.feature_helpers import DISTANCE, HEIGHT, WIDTH, write_wall

PX = DISTANCE / 20  # metres of camera motion per pixel of disparity
COLUMNS = np.arange(WIDTH)


def bar(first: int, last: int, region: int = 0, on: np.ndarray | None = None) -> np.ndarray:
    """Return a map [H, W] with a region in columns ``first`` to ``last``, over other regions."""
    under = np.full((HEIGHT, WIDTH), -1, np.int32) if on is None else on
    return np.where((first <= COLUMNS) & (last >= COLUMNS), np.int32(region), under)


NOTHING = bar(1, 0)
ANY = instances.Options()


def tracked(
    tmp_path: Path, views: list[np.ndarray], shift_px: float = 0, min_iou: float = 0.3, **scene: Any
) -> list[np.ndarray]:
    """Return the tracks of regions seen by cameras that stand ``shift_px`` pixels apart."""
    steps = tuple(index * shift_px * PX for index in range(len(views)))
    frames = load_scene(write_wall(tmp_path / "scene", steps, **scene)).train
    regions = {frame.name: view for frame, view in zip(frames, views, strict=True)}
    options = depth_warp.Options(depth="given", tolerance=0.05, min_iou=min_iou)
    ids = list(depth_warp.track(frames, lambda f: regions[f.name], options, load_depth, "cpu"))
    for own, track in zip(views, ids, strict=True):
        assert track.dtype == np.int32 and ((track >= 0) == (own >= 0)).all()
    return ids


def test_a_region_that_moves_with_the_disparity_keeps_its_id(tmp_path: Path) -> None:
    views = [bar(8, 11), bar(6, 9), bar(4, 7)]
    ids = tracked(tmp_path, views, shift_px=2)
    assert all(np.array_equal(found, view) for found, view in zip(ids, views, strict=True))


def test_a_region_that_stands_still_in_the_image_is_another_thing_each_time(tmp_path: Path) -> None:
    # 4 columns wide and 4 px of disparity: not one pixel in common
    ids = tracked(tmp_path, [bar(8, 11)] * 3, shift_px=4)
    assert [int(found.max()) for found in ids] == [0, 1, 2]


def test_ids_are_kept_whatever_number_a_view_gives_its_regions(tmp_path: Path) -> None:
    first = bar(0, 3, 0, bar(8, 11, 1))
    second = bar(0, 3, 5, bar(8, 11, 2))  # numbers with gaps, in another order
    ids = tracked(tmp_path, [first, second])
    assert np.array_equal(ids[0], first) and np.array_equal(ids[1], first)


def test_a_region_that_appears_starts_a_new_track(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 3), bar(8, 11, 0, bar(0, 3, 1)), bar(8, 11)])
    assert np.array_equal(ids[1], bar(8, 11, 1, bar(0, 3, 0)))
    assert np.array_equal(ids[2], bar(8, 11, 1))


def test_a_region_that_was_away_for_a_view_starts_anew(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 3), NOTHING, bar(0, 3)])
    assert (ids[1] == -1).all()
    assert np.array_equal(ids[2], bar(0, 3, 1))


def test_of_two_pieces_of_a_former_region_the_better_keeps_the_id(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 9), bar(0, 3, 0, bar(4, 9, 1))])  # IoU 0.4 and 0.6
    assert np.array_equal(ids[1], bar(0, 3, 1, bar(4, 9, 0)))


def test_two_regions_that_merge_become_the_better_of_both(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 3, 0, bar(4, 9, 1)), bar(0, 9)])
    assert np.array_equal(ids[1], bar(0, 9, 1))


def test_the_assignment_with_the_largest_sum_wins(tmp_path: Path) -> None:
    # Region 0 overlaps track 0 with 4/8 and track 1 with 2/6; region 1 overlaps track 0 with 2/6.
    # 2/6 + 2/6 beats 4/8 + 0, though 4/8 is the best of all pairs.
    ids = tracked(tmp_path, [bar(0, 5, 0, bar(6, 7, 1)), bar(2, 7, 0, bar(0, 1, 1))])
    assert np.array_equal(ids[1], bar(2, 7, 1, bar(0, 1, 0)))


@pytest.mark.parametrize(("min_iou", "track"), [(0.5, 0), (0.51, 1)])
def test_regions_that_overlap_too_little_are_two(
    tmp_path: Path, min_iou: float, track: int
) -> None:
    ids = tracked(tmp_path, [bar(0, 5), bar(2, 7)], min_iou=min_iou)  # 4 of 8 columns
    assert np.array_equal(ids[1], bar(2, 7, track))


def test_even_without_a_threshold_regions_must_overlap(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 3), bar(8, 11)], min_iou=0.0)
    assert np.array_equal(ids[1], bar(8, 11, 1))


def test_only_what_both_views_see_counts(tmp_path: Path) -> None:
    # Half of the bar has left the image; of the other half all is common.
    ids = tracked(tmp_path, [bar(0, 7), bar(0, 3)], shift_px=4, min_iou=1.0)
    assert np.array_equal(ids[1], bar(0, 3))


def test_a_first_view_without_regions_numbers_from_the_second(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [NOTHING, bar(0, 3), NOTHING])
    assert [np.unique(found).tolist() for found in ids] == [[-1], [-1, 0], [-1]]


def test_regions_everywhere_leave_no_pixel_without_a_track(tmp_path: Path) -> None:
    whole = bar(0, WIDTH - 1)
    assert all((found == 0).all() for found in tracked(tmp_path, [whole] * 3, shift_px=1))


def test_a_single_view_numbers_its_own_regions(tmp_path: Path) -> None:
    (found,) = tracked(tmp_path, [bar(0, 3, 4, bar(8, 11, 9))])
    assert np.array_equal(found, bar(0, 3, 0, bar(8, 11, 1)))


def test_views_that_see_nothing_of_each_other_share_no_track(tmp_path: Path) -> None:
    whole = bar(0, WIDTH - 1)
    ids = tracked(tmp_path, [whole] * 3, shift_px=WIDTH, min_iou=0.0)
    assert [np.unique(found).tolist() for found in ids] == [[0], [1], [2]]


def test_where_no_depth_is_known_nothing_is_followed(tmp_path: Path) -> None:
    ids = tracked(tmp_path, [bar(0, 7)] * 2, depth=bar(0, 7, 0, np.full((HEIGHT, WIDTH), 4.0)))
    assert np.array_equal(ids[1], bar(0, 7, 1))


def test_views_are_read_one_at_a_time(tmp_path: Path) -> None:
    frames = load_scene(write_wall(tmp_path / "scene")).train
    asked: list[str] = []

    def regions(frame: Any) -> np.ndarray:
        asked.append(frame.name)
        return bar(0, 3)

    options = depth_warp.Options(depth="given", tolerance=0.05, min_iou=0.3)
    next(iter(depth_warp.track(frames, regions, options, load_depth, "cpu")))
    assert asked == ["v0"]


# overlap in numbers


def test_ious_by_hand() -> None:
    regions = np.array([0, 0, 0, 1, 1, -1, -1], np.int32)
    tracks = np.array([7, 7, 3, 3, -1, 3, -1], np.int32)
    iou, names = pairwise_iou(regions, tracks, 2)
    assert names.tolist() == [3, 7]
    # region 0: 3 px, region 1: 2 px; track 3: 3 px, track 7: 2 px
    assert iou == pytest.approx(np.array([[1 / 5, 2 / 3], [1 / 4, 0]]))


def test_a_region_of_which_nothing_is_shared_overlaps_nothing() -> None:
    iou, names = pairwise_iou(np.array([2], np.int32), np.array([5], np.int32), 4)
    assert names.tolist() == [5] and iou.tolist() == [[0], [0], [1], [0]]


@pytest.mark.parametrize("n_regions", [0, 3])
def test_without_shared_pixels_there_are_no_tracks(n_regions: int) -> None:
    nothing = np.zeros(0, np.int32)
    iou, names = pairwise_iou(nothing, nothing, n_regions)
    assert iou.shape == (n_regions, 0) and names.tolist() == []


PIXELS = st.integers(-1, 3)


@given(pairs=arrays(np.int32, (2, 12), elements=PIXELS))
def test_ious_are_those_of_the_sets_of_pixels(pairs: np.ndarray) -> None:
    regions, tracks = pairs
    iou, names = pairwise_iou(regions, tracks, 4)
    assert names.tolist() == sorted(set(tracks.tolist()) - {-1})
    for region in range(4):
        own = set(np.flatnonzero(regions == region).tolist())
        for column, track in enumerate(names):
            other = set(np.flatnonzero(tracks == track).tolist())
            assert iou[region, column] == pytest.approx(len(own & other) / len(own | other))


@given(views=st.lists(arrays(np.int32, (HEIGHT, WIDTH), elements=PIXELS), min_size=2, max_size=2))
def test_no_two_regions_of_a_view_share_a_track(
    views: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    ids = tracked(tmp_path_factory.mktemp("wall"), views, min_iou=0.0)
    for own, found in zip(views, ids, strict=True):
        pairs = set(zip(own[own >= 0].tolist(), found[own >= 0].tolist(), strict=True))
        regions, tracks = {region for region, _ in pairs}, {track for _, track in pairs}
        assert len(pairs) == len(regions) == len(tracks)


# ids from disk


def test_stored_ids_count_from_1_and_0_is_none(tmp_path: Path) -> None:
    frames = load_scene(write_wall(tmp_path / "scene")).train
    first, second = bar(0, 3, 999, bar(4, 7, 0)), bar(2, 9, 299)
    for name, ids in (("v0", first), ("v1", second), ("v2", NOTHING)):
        write_png(tmp_path / f"ids/{name}.png", (ids + 1).astype(np.uint16))
    options = id_maps.Options(folder=str(tmp_path / "ids"))
    found = list(id_maps.track(frames, lambda _: NOTHING, options, None, "cpu"))
    assert [ids.dtype for ids in found] == [np.int32] * 3
    assert all(np.array_equal(a, b) for a, b in zip(found, (first, second, NOTHING), strict=True))


def test_ids_in_colours_are_read_as_deva_writes_them(tmp_path: Path) -> None:
    frames = load_scene(write_wall(tmp_path / "scene")).train
    ids = bar(0, 3, 999, bar(4, 7, 0)) + 1
    ids[0, 0] = 2**24 - 1
    colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], 2).astype(np.uint8)
    palette = Image.fromarray((ids % 256).astype(np.uint8)).convert("P")
    palette.putpalette(list(range(256)) * 3)
    write_png(tmp_path / "ids/v0.png", colours)
    palette.save(tmp_path / "ids/v1.png")
    options = id_maps.Options(folder=str(tmp_path / "ids"))
    found = list(id_maps.track(frames[:2], lambda _: NOTHING, options, None, "cpu"))
    assert np.array_equal(found[0], ids - 1) and found[0].dtype == np.int32
    assert np.array_equal(found[1], ids % 256 - 1)


def test_a_view_without_stored_ids_is_one_line(tmp_path: Path) -> None:
    frames = load_scene(write_wall(tmp_path / "scene")).train
    options = id_maps.Options(folder=str(tmp_path / "ids"))
    with one_line_error("ids/v0.png", "no such file"):
        next(iter(id_maps.track(frames, lambda _: NOTHING, options, None, "cpu")))


# the scene's own instances


def test_true_instances_are_tracks_whatever_the_regions_are(tmp_path: Path) -> None:
    frames = load_scene(write_wall(tmp_path / "scene")).train[:2]
    first, second = bar(0, 3, 6, bar(4, 7, 0)), bar(2, 9, 6)
    for name, ids in (("v0", first), ("v1", second)):
        write_png(tmp_path / f"instances/{name}.png", (ids + 1).astype(np.uint16))
    known = [
        replace(frame, instances_path=tmp_path / f"instances/{frame.name}.png") for frame in frames
    ]
    found = list(instances.track(tuple(known), lambda _: bar(0, 1, 3), ANY, None, "cpu"))
    assert [ids.dtype for ids in found] == [np.int32] * 2
    assert all(np.array_equal(a, b) for a, b in zip(found, (first, second), strict=True))
    with one_line_error("view 'v0' has no instances"):
        next(iter(instances.track(frames, lambda _: NOTHING, ANY, None, "cpu")))


def test_only_tracks_of_true_instances_are_the_truth() -> None:
    assert instances.declares_truth(ANY)
    others = [track_kind(name) for name in track_kinds() if name != "instances"]
    assert len(others) >= 3 and not any(kind.declares_truth(None) for kind in others)


# what kinds say about themselves


def test_who_needs_rendered_depth_says_so() -> None:
    rendered, given_maps = (
        depth_warp.Options(depth=kind, tolerance=0.1, min_iou=0.5) for kind in ("rendered", "given")
    )
    assert depth_warp.needs_geometry(rendered) and not depth_warp.needs_geometry(given_maps)
    assert depth_warp.folders(rendered) == [] == depth_warp.models(rendered)
    stored = id_maps.Options(folder="maps/ids")
    assert not id_maps.needs_geometry(stored)
    assert id_maps.folders(stored) == ["maps/ids"] and id_maps.models(stored) == []
    model = HubModel(folder="sam2", sha256=None, precision="float32")
    learned = sam2_video.Options(model=model, detect_every=5, max_covered=0.5, max_objects=200)
    assert not sam2_video.needs_geometry(learned) and sam2_video.folders(learned) == []
    assert sam2_video.models(learned) == [model]


@pytest.mark.parametrize("name", track_kinds())
def test_every_kind_has_what_the_phase_asks_for(name: str) -> None:
    kind = track_kind(name)
    assert all(
        callable(getattr(kind, part)) for part in ("track", "folders", "models", "needs_geometry")
    )
    assert all(field.is_required() for field in kind.Options.model_fields.values())


def test_the_kinds_are_the_files_of_the_package() -> None:
    assert {"depth_warp", "id_maps", "sam2_video"} <= set(track_kinds())
    assert len(track_kinds()) == len(list(Path(tracks.__file__).parent.glob("[a-z]*.py")))
