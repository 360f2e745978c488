"""The four bugs that published evaluations have, each of which must fail here once it is ours.

Every test shows all protocols that could have the bug a striped world whose scores are worked out
by hand, through the files that the suite writes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.evaluate.protocol_docs import PARTS, parts
from semsplat.evaluate.protocols import protocols, segmentation, segmentation_frozen
from semsplat.io import read_json
from tests.unit.evaluate.job_helpers import run_score
from tests.unit.evaluate.protocol_adapters import ADAPTERS
from tests.unit.evaluate.protocol_worlds import (
    HEIGHT,
    WIDTH,
    Stripes,
    View,
    World,
    judge_queries,
    judge_selections,
    judge_setting,
    judged,
    with_said,
    write_predictions,
    write_world,
)

LEFT: Stripes = (("wall", 18, 28),)
MIDDLE: Stripes = (("wall", 38, 48),)
RIGHT: Stripes = (("wall", 58, 68),)
ONE_PROMPT = World((View("c", LEFT, LEFT), View("a", MIDDLE, MIDDLE), View("b", RIGHT, RIGHT)))
"""One prompt in three places, in an order that is not that of the names."""

LAST = PARTS[-1]
LOSING = [name for name, adapter in ADAPTERS.items() if "missing" not in adapter.exempt]


# Gaussian Grouping's script skips a label whose file is missing


@pytest.mark.parametrize("name", LOSING)
def test_bug_missing_files_are_skipped(name: str) -> None:
    adapter = ADAPTERS[name]
    world = World((View("c", LEFT, LEFT), View("a", LEFT, None), View("b", LEFT, LEFT)))
    expected = {metric: best * 2 / 3 for metric, best in adapter.best.items()}
    counted = {"pairs": 3, "missing": 1}
    if adapter.neighbours:  # both pairs of neighbours have the missing view
        expected, counted = {"inconsistency": 1.0}, {"pairs": 2, "missing": 2}
    assert adapter.values(world) == pytest.approx(expected)
    assert counted.items() <= adapter.counts(world, name).items()


# LangSplat and GAGS take frame number minus one as an index into what there is


@pytest.mark.parametrize("name", LOSING)
def test_bug_frames_are_matched_by_index_instead_of_name(name: str) -> None:
    """One dropped image must not shift the others onto each other's predictions."""
    adapter = ADAPTERS[name]
    if adapter.neighbours:
        # a missing first view: the other two are alike, and would not be were they shifted
        views = (View("c", RIGHT, None), View("a", LEFT, LEFT), View("b", LEFT, LEFT))
        assert adapter.values(World(views)) == pytest.approx({"inconsistency": 1 / 2})
        return
    for lost in range(3):
        said = tuple(None if i == lost else view.said for i, view in enumerate(ONE_PROMPT.views))
        expected = {metric: best * 2 / 3 for metric, best in adapter.best.items()}
        assert adapter.values(with_said(ONE_PROMPT, said)) == pytest.approx(expected)


# LangSplatV2's table has a mean over pairs beside others' means over groups


def test_bug_micro_and_macro_means_are_mixed() -> None:
    """One frame shows three prompts, the others the wall alone, and only these are predicted."""
    shown: Stripes = (("wall", 18, 28), ("lamp", 38, 48), ("rug", 58, 68))
    views = (View("c", shown, (("wall", 38, 48),)), View("a", LEFT, LEFT), View("b", LEFT, LEFT))
    world = World(views)
    # five pairs, of which two are right; by frame that would be 2 / 3, by prompt 2 / 9
    queries = judged(judge_queries, world)["metrics"]
    for metric in ("localisation", "query_miou", "localisation_scaled", "query_miou_frozen"):
        assert queries[metric] == queries[f"train_{metric}"] == pytest.approx(2 / 5), metric
    selections = judged(judge_selections, world)["metrics"]
    for metric in ("mask_miou", "mask_mbiou"):
        assert selections[f"points_{metric}"] == pytest.approx(2 / 5), metric
    for metric in ("class_miou", "class_mbiou"):
        assert selections[f"points_{metric}"] == pytest.approx(2 / 9), metric
    assert selections["points_argmax_miou"] == pytest.approx(2 / 3)
    # the first image has 30 pixels a row that count, the others 10; the wall has 20 of 40 right
    # and takes another's 10
    classes = judged(judge_setting, world)["metrics"]
    assert classes["miou"] == classes["accuracy"] == pytest.approx(2 / 3)
    assert classes["pooled_miou"] == pytest.approx((20 / 40 + 0 + 0) / 3)
    assert classes["class_accuracy"] == pytest.approx((20 / 30 + 0 + 0) / 3)


# a threshold that is chosen by the scores of the frames it is then reported on


def relevancy(stripe: Stripes, inside: float, outside: float, around: float) -> np.ndarray:
    """Return relevancy [1, H, W]: inside a stripe, in its cell beside it, and everywhere else."""
    found = np.full((1, HEIGHT, WIDTH), outside, np.float16)
    _, start, end = stripe[0]
    found[..., start - 10 : end + 10] = around
    found[..., start:end] = inside
    return found


@pytest.mark.parametrize(
    ("inside", "around", "outside", "frozen"),
    [
        (0.45, 0.1, 0.1, 0.0),  # any threshold below 0.45 would be perfect
        (0.9, 0.6, 0.1, 1 / 3),  # any above 0.6: at 0.5 the stripe is three times as wide
        (0.55, 0.45, 0.1, 1.0),
    ],
)
def test_bug_the_threshold_is_tuned_on_the_test_frames(
    tmp_path: Path, inside: float, around: float, outside: float, frozen: float
) -> None:
    """In all frames alike another threshold would be better than the one decided in advance."""
    scene = write_world(ONE_PROMPT, tmp_path / "scene")
    folder = write_predictions(ONE_PROMPT, tmp_path / "predictions")
    masks = {}
    for view in ONE_PROMPT.views:
        maps = relevancy(view.truth, inside, outside, around)
        masks[view.name] = maps
        for name in (view.name, f"train/{view.name}"):
            arrays = {"prompts": np.array(["wall"]), "relevancy": maps[None]}
            write_arrays(folder / "relevancy" / f"{name}.npz", arrays)
    out = tmp_path / "toys/shelf/striped/0/scores.json"
    run_score(("relevancy",), scene, folder, out)
    metrics = read_json(out)["metrics"]
    assert metrics["query_miou_frozen"] == metrics["train_query_miou_frozen"]
    assert metrics["query_miou_frozen"] == pytest.approx(frozen)
    # the published threshold: 0.7 of the map's own range, by hand
    expected = []
    for view in ONE_PROMPT.views:
        smooth = segmentation.smoothed(masks[view.name])[0]
        kept = smooth >= smooth.min() + 0.7 * np.ptp(smooth)
        _, start, end = view.truth[0]
        shown = (np.arange(WIDTH) >= start) & (np.arange(WIDTH) < end)
        expected.append((kept & shown).sum() / (kept | shown).sum())
    assert metrics["query_miou"] == pytest.approx(np.mean(expected), abs=0.02)


def test_what_papers_score_on_trained_frames_or_tuned_thresholds_has_a_twin() -> None:
    """As published with ``train_``, held out without; and with a threshold decided in advance."""
    trained = [n for n, m in protocols().items() if "frames that were trained on" in parts(m)[LAST]]
    assert {"lerf_ovs/localisation@1", "lerf_ovs/segmentation@1"} <= set(trained)
    for name in trained:
        counts = ADAPTERS[name].counts(ONE_PROMPT, name)
        assert counts["pairs"] == counts["train_pairs"] == 3
    assert "lerf_ovs/segmentation_frozen@1" in protocols()


def test_thresholds_are_those_of_the_definitions() -> None:
    assert (segmentation.THRESHOLD, segmentation_frozen.THRESHOLD) == (0.4, 0.5)
