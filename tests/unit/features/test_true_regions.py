"""Regions of a known purity, and what CLIP thinks of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.features.store import SceneFeatures, write_view
from semsplat.features.teachers import Sources, true_regions
from semsplat.features.teachers.true_regions import closest_other, degraded
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.test_teachers import (
    OTHER,
    SURE,
    TEXT,
    frame_of,
    stored,
    view_of,
)


def halves(height: int = 40, width: int = 60) -> np.ndarray:
    """Return three instances: left, upper right, lower right."""
    ids = np.zeros((height, width), np.int32)
    ids[:, width // 2 :] = 1
    ids[height // 2 :, width // 2 :] = 2
    return ids


@pytest.mark.parametrize("purity", [1.0, 0.95, 0.9, 0.8])
def test_so_many_pixels_stay_with_their_instance(purity: float) -> None:
    ids = halves()
    found = degraded(ids, purity, np.random.default_rng(3))
    assert (found == ids).mean() == pytest.approx(purity)
    distance, beyond = closest_other(ids)
    changed = found != ids
    assert np.array_equal(found[changed], beyond[changed])
    if changed.any():  # patches along the outlines, not a rim of even width
        assert distance[changed].mean() < 0.6 * distance.mean()
        assert distance[changed].max() > 2 * distance[~changed].min()


def test_the_closest_other_instance_by_hand() -> None:
    distance, beyond = closest_other(np.array([[0, 0, 0, 1, 2, 2]], np.int32))
    assert distance.tolist() == [[3, 2, 1, 1, 1, 2]]
    assert beyond[0, [0, 1, 2, 4, 5]].tolist() == [1, 1, 1, 1, 1]


def test_a_view_of_one_instance_stays_whole() -> None:
    ids = np.full((6, 8), 0, np.int32)
    assert np.array_equal(degraded(ids, 0.5, np.random.default_rng(0)), ids)


def taught(tmp_path: Path, purity: float, name: str = "v0", instances: bool = True):
    write_view(tmp_path / f"views/{name}.npz", view_of([0, 0, 0, 0], [SURE, SURE, OTHER, OTHER]))
    write_arrays(tmp_path / "text.npz", {"classes": TEXT})
    paths = {"instances": stored(tmp_path / "i", [7, 7, 9, 9], name)} if instances else {}
    options = true_regions.Options(recipe="regions", purity=purity)
    sources = Sources([1, 2], SceneFeatures(tmp_path, {}))
    return true_regions.teach(frame_of(name, **paths), options, sources)


def test_regions_are_the_instances_and_labels_clips_opinion_of_each(tmp_path: Path) -> None:
    lesson = taught(tmp_path, 1.0)
    assert lesson.regions.tolist() == [[0, 0, 1, 1]]
    assert lesson.labels.tolist() == [[1, 1, 2, 2]]  # the recipe has one region for both
    assert true_regions.recipe(true_regions.Options(recipe="regions", purity=1.0)) == "regions"
    assert true_regions.declares_truth(true_regions.Options(recipe="regions", purity=1.0))


def test_a_view_has_its_own_mistakes_and_always_the_same(tmp_path: Path) -> None:
    ids = halves()
    first, again, other = (degraded(ids, 0.8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    one = taught(tmp_path, 0.5).regions
    assert np.array_equal(one, taught(tmp_path, 0.5).regions)
    assert (one == [[0, 0, 1, 1]]).sum() == 2


def test_a_view_without_instances_is_one_line(tmp_path: Path) -> None:
    with one_line_error("view 'v0' has no instances"):
        taught(tmp_path, 1.0, instances=False)
