"""Tracks by SAM 2: the windows with a tracker that never errs, and a tiny SAM 2 itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from semsplat.data.scene import Frame, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.features.sam2 import Follower, largest
from semsplat.features.teach import write_lessons
from semsplat.features.tracks import sam2_video
from semsplat.features.tracks.sam2_video import Options, follow_windows, with_new_tracks
from semsplat.io import read_json, sha256_file
from semsplat.params.hub import HubModel
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import HEIGHT, WIDTH, write_wall
from tests.unit.features.hub_helpers import write_sam2
from tests.unit.features.test_teach import OWN_MAPS, config, write_maps
from tests.unit.features.test_tracks import NOTHING, bar

NOWHERE = HubModel(folder="nowhere", sha256=None, precision="float32")


def options(model: HubModel = NOWHERE, **changes: Any) -> Options:
    given = {"model": model, "detect_every": 2, "max_covered": 0.5, "max_objects": 200}
    return Options(**{**given, **changes})


def named(*ids: int) -> list[int]:
    return sorted({-1, *ids})


def found(ids: np.ndarray) -> list[int]:
    return np.unique(ids).tolist()


# which regions start tracks


def test_the_regions_of_a_first_view_are_its_tracks():
    own = bar(0, 3, 4, bar(8, 11, 9))
    assert np.array_equal(with_new_tracks(NOTHING, own, 0, options()), bar(0, 3, 0, bar(8, 11, 1)))


@pytest.mark.parametrize(("last", "new"), [(3, False), (4, False), (5, True)])
def test_a_region_is_new_if_less_than_half_is_known(last, new):
    # columns 0 to 3 are known, and the region begins with columns 1 to 3
    ids = with_new_tracks(bar(0, 3), bar(last - 3, last + 2, 7), 5, options())
    share = (4 - (last - 3)) / 6
    assert (share < 0.5) == new
    assert found(ids) == (named(0, 5) if new else named(0))


def test_known_tracks_keep_their_pixels_and_new_ones_get_the_rest():
    ids = with_new_tracks(bar(0, 4, 2), bar(3, 9), 3, options())
    assert np.array_equal(ids, bar(0, 4, 2, bar(5, 9, 3)))


def test_several_tracks_cover_a_region_together():
    known = bar(0, 2, 0, bar(3, 5, 1))
    assert np.array_equal(with_new_tracks(known, bar(0, 7), 2, options()), known)


def test_with_one_a_region_is_new_wherever_a_pixel_is_left():
    ids = with_new_tracks(bar(0, 3), bar(0, 4), 1, options(max_covered=1.0))
    assert np.array_equal(ids, bar(0, 3, 0, bar(4, 4, 1)))


def test_the_largest_remain_and_numbers_have_no_gaps():
    known, own = bar(0, 0, 0, bar(1, 4, 1)), bar(6, 6, 0, bar(7, 8, 1, bar(9, 11, 2)))
    ids = with_new_tracks(known, own, 2, options(max_objects=3))
    assert np.array_equal(ids, bar(1, 4, 1, bar(7, 8, 2, bar(9, 11, 3))))


def test_of_equally_large_ones_the_known_remain():
    ids = with_new_tracks(bar(4, 5, 3), bar(0, 1), 4, options(max_objects=1))
    assert np.array_equal(ids, bar(4, 5, 3))


@pytest.mark.parametrize("known", [NOTHING, bar(2, 5, 1)])
def test_a_view_without_regions_adds_nothing(known):
    ids = with_new_tracks(known, NOTHING, 2, options())
    assert ids.dtype == np.int32 and np.array_equal(ids, known)


# windows, with a tracker that knows how far things move


class Shifter:
    """Moves ids by as many columns a view as the world does, and loses some at a view."""

    def __init__(self, step: int, lost: dict[str, int] | None = None) -> None:
        self.step, self.lost = step, lost or {}
        self.asked: list[tuple[list[str], list[int]]] = []

    def __call__(self, frames: tuple[Frame, ...], ids: np.ndarray) -> Iterator[np.ndarray]:
        self.asked.append(([frame.name for frame in frames], found(ids)))
        for frame in frames[1:]:
            ids = shifted(ids, self.step)
            if frame.name in self.lost:
                ids = np.where(ids == self.lost[frame.name], np.int32(-1), ids)
            yield ids


def shifted(ids: np.ndarray, step: int) -> np.ndarray:
    moved = np.full_like(ids, -1)
    moved[:, step:] = ids[:, : ids.shape[1] - step]
    return moved


def frames_of(tmp_path: Path, n: int) -> tuple[Frame, ...]:
    return load_scene(write_wall(tmp_path / "scene", tuple(0.1 * i for i in range(n)))).train


def windows(
    tmp_path: Path, views: list[np.ndarray], follow: Shifter, **changes: Any
) -> list[np.ndarray]:
    frames = frames_of(tmp_path, len(views))
    regions = {frame.name: view for frame, view in zip(frames, views, strict=True)}
    ids = follow_windows(frames, lambda f: regions[f.name], options(**changes), follow)
    maps = list(ids)
    assert all(one.dtype == np.int32 and one.shape == (HEIGHT, WIDTH) for one in maps)
    return maps


@pytest.mark.parametrize("every", [1, 2, 3, 5, 9])
def test_identities_survive_the_borders_of_windows(tmp_path, every):
    truth = [shifted(bar(0, 2, 0, bar(5, 6, 1)), step) for step in range(6)]
    # every view numbers its regions anew, in the other order
    views = [np.where(ids >= 0, 1 - ids, ids).astype(np.int32) for ids in truth]
    follow = Shifter(1)
    maps = windows(tmp_path, [truth[0], *views[1:]], follow, detect_every=every)
    assert all(np.array_equal(one, other) for one, other in zip(maps, truth, strict=True))
    assert [names[0] for names, _ in follow.asked] == [f"v{i}" for i in range(0, 6, every)]
    assert all(len(names) <= every + 1 for names, _ in follow.asked)


def test_what_appears_within_a_window_starts_with_the_next(tmp_path):
    views = [bar(0, 3), *[bar(0, 3, 0, bar(8, 11, 1))] * 3]
    maps = windows(tmp_path, views, Shifter(0), detect_every=2)
    assert [found(one) for one in maps] == [named(0), named(0), named(0, 1), named(0, 1)]


def test_a_lost_track_starts_anew_under_another_name(tmp_path):
    views = [bar(0, 3, 0, bar(8, 11, 1))] * 5
    maps = windows(tmp_path, views, Shifter(0, {"v1": 0}), detect_every=2)
    assert [found(one) for one in maps] == [named(0, 1), named(1), *[named(1, 2)] * 3]


def test_when_all_are_lost_numbers_go_on(tmp_path):
    maps = windows(tmp_path, [bar(0, 3)] * 5, Shifter(WIDTH), detect_every=2)
    assert [found(one) for one in maps] == [named(0), [-1], named(1), [-1], named(2)]


def test_views_without_regions_start_nothing(tmp_path):
    views = [NOTHING, bar(0, 3), NOTHING, NOTHING, bar(0, 3)]
    maps = windows(tmp_path, views, Shifter(0), detect_every=2)
    assert [found(one) for one in maps] == [[-1]] * 4 + [named(0)]


def test_no_more_than_allowed_are_followed(tmp_path):
    follow = Shifter(0)
    windows(tmp_path, [bar(0, 3, 0, bar(8, 9, 1))] * 3, follow, max_objects=1)
    assert [ids for _, ids in follow.asked] == [named(0)] * 2


def test_only_the_first_views_of_windows_are_asked_for_regions(tmp_path):
    asked: list[str] = []
    frames = frames_of(tmp_path, 5)

    def regions(frame: Frame) -> np.ndarray:
        asked.append(frame.name)
        return bar(0, 3)

    ids = follow_windows(frames, regions, options(), Shifter(0))
    next(ids)
    assert asked == ["v0"]
    list(ids)
    assert asked == ["v0", "v2", "v4"]


# overlapping answers


def test_the_largest_logit_wins_and_below_zero_is_none():
    logits = torch.tensor([[[3.0, 1.0, -2.0, 0.0]], [[2.0, 4.0, -1.0, 0.0]]])
    ids = largest(logits, [7, 5], (1, 4))
    assert ids.dtype == np.int32 and ids.tolist() == [[7, 5, -1, -1]]


def test_logits_are_upscaled_before_they_are_compared():
    logits = torch.tensor([[[4.0, -4.0]], [[-1.0, 3.0]]])
    # at the centres of 8 columns: 4 4 3 1 -1 -3 -4 -4 and -1 -1 -.5 .5 1.5 2.5 3 3
    assert largest(logits, [0, 1], (2, 8)).tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 2
    assert largest(-logits.abs(), [0, 1], (2, 8)).tolist() == [[-1] * 8] * 2


# the network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> HubModel:
    return write_sam2(tmp_path_factory.mktemp("sam2"))


def views_of(folder: Path, sizes: list[tuple[int, int]]) -> tuple[Frame, ...]:
    with SceneWriter(folder, **ORIGIN) as writer:
        for index, (width, height) in enumerate(sizes):
            image = random_image(width, height, seed=index)
            writer.add_frame(f"v{index}", image, viewmat_at(0.1 * index), K, "train")
    return load_scene(folder).train


def halves(frame: Frame) -> np.ndarray:
    columns = np.arange(frame.width) + np.zeros((frame.height, 1), int)
    return np.where(columns < frame.width // 2, 0, 1).astype(np.int32)


def followed(frames: tuple[Frame, ...], chosen: Options) -> list[np.ndarray]:
    return list(sam2_video.track(frames, halves, chosen, None, "cpu"))


def test_sam2_follows_through_windows(model, tmp_path, offline):
    frames = views_of(tmp_path / "scene", [(48, 36)] * 5)
    maps = followed(frames, options(model))
    for frame, ids in zip(frames, maps, strict=True):
        assert ids.dtype == np.int32 and ids.shape == (frame.height, frame.width)
    assert np.array_equal(maps[0], halves(frames[0]))
    assert set(found(maps[1])) <= {-1, 0, 1}  # prompts have names, nothing else has
    names = sorted({name for ids in maps for name in found(ids)} - {-1})
    assert names == list(range(len(names)))
    again = followed(frames, options(model))
    assert all(np.array_equal(one, other) for one, other in zip(maps, again, strict=True))


def test_sam2_knows_a_prompt_by_its_own_name(model, tmp_path, monkeypatch):
    frames = views_of(tmp_path / "scene", [(48, 36)] * 2)
    ids = np.where(halves(frames[0]) == 0, np.int32(9), np.int32(4))
    follow = Follower(model, "cpu")
    monkeypatch.setattr(follow, "_logits", lambda *_: torch.tensor([[[1.0]], [[2.0]]]))
    (only,) = follow(frames, ids)  # prompts are asked in the order of their names
    assert found(only) == [9]


def test_sam2_is_given_the_masks_as_they_are(model, tmp_path):
    frames = views_of(tmp_path / "scene", [(48, 36)] * 2)
    follow, ids = Follower(model, "cpu"), halves(frames[0])
    session = follow._session(frames)
    masks = [ids == 0, ids == 1]
    follow.processor.process_new_mask_for_video_frame(session, 0, [0, 1], masks)
    logits = follow._logits(session, 0)
    assert logits.dtype == torch.float32
    assert np.array_equal(largest(logits, [0, 1], ids.shape), ids)


def test_views_of_different_sizes_are_followed(model, tmp_path):
    frames = views_of(tmp_path / "scene", [(48, 36), (30, 40), (48, 36)])
    maps = followed(frames, options(model, detect_every=1))
    assert [ids.shape for ids in maps] == [(36, 48), (40, 30), (36, 48)]


@pytest.mark.parametrize("n_views", [1, 3])
def test_without_prompts_or_further_views_sam2_is_not_asked(model, tmp_path, monkeypatch, n_views):
    frames = views_of(tmp_path / "scene", [(48, 36)] * n_views)
    follow = Follower(model, "cpu")
    monkeypatch.setattr(follow, "_session", None)
    ids = halves(frames[0]) if n_views == 1 else np.full((36, 48), -1, np.int32)
    rest = list(follow(frames, ids))
    assert len(rest) == n_views - 1 and all((one == -1).all() for one in rest)


def test_lessons_name_the_weights_that_followed(model, tmp_path):
    write_maps(tmp_path / "maps")
    scene = write_wall(tmp_path / "scene")
    tracks = {"kind": "sam2_video", "options": options(model).model_dump()}
    out = tmp_path / "out"
    write_lessons(scene, out, config(tmp_path, OWN_MAPS, tracks), None, None, "cpu")
    digest = sha256_file(Path(model.folder) / "model.safetensors")
    assert read_json(out / "run.json")["inputs"][model.folder] == digest


def test_a_model_that_is_missing_is_one_line(tmp_path):
    with one_line_error("nowhere: no such folder", "params.yaml"):
        sam2_video.track(views_of(tmp_path / "s", [(16, 12)]), halves, options(), None, "cpu")


def test_half_precision_is_refused_before_a_job():
    """transformers keeps SAM 2's memory in bfloat16; autocast joins no float16 to it."""
    for precision in ("bfloat16", "float32"):
        options(HubModel(folder="sam2", sha256=None, precision=precision))
    with pytest.raises(ValidationError, match="SAM 2's memory is bfloat16"):
        options(HubModel(folder="sam2", sha256=None, precision="float16"))
