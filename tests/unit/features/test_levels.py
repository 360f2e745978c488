"""SAM's three outputs: what is dropped early would have been dropped anyway."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.utils.amg import batched_mask_to_box, calculate_stability_score
from torchvision.ops import nms

from semsplat.features import clicks, levels, sam
from semsplat.features.cache import Cache
from semsplat.features.levels import LAYERS, masks_at
from semsplat.features.masks import Masks
from semsplat.features.segmenters import sam_automatic, sam_granular, sam_levels, segmenter_kind
from semsplat.features.weights import find_weights
from tests.unit.features.conftest import two_blocks

POINTS = np.array([[13, 18], [35, 18], [2, 2], [13, 7], [30, 25], [24, 33], [45, 20]], np.float32)


@pytest.fixture(scope="module")
def tiny(params: Any) -> Any:
    return sam.open_model(find_weights(params.features.sam_models["tiny"]), "cpu")


@pytest.fixture
def tiny_weights(params: Any) -> Any:
    return find_weights(params.features.sam_models["tiny"])


@pytest.fixture
def options(run_of: Any) -> Any:
    segmenter = run_of("granular").recipe.segmenter
    return segmenter_kind(segmenter.kind).Options.model_validate(segmenter.options)


def plain(image: np.ndarray, points: np.ndarray, options: Any, model: Any) -> dict[str, Any]:
    """Every mask of every click at full resolution, then the filters, as one would write it."""
    predictor = SamPredictor(model)
    predictor.set_image(image)
    clicks = torch.from_numpy(predictor.transform.apply_coords(points, image.shape[:2]))[:, None]
    logits, iou, _ = predictor.predict_torch(
        clicks.float(), torch.ones(len(points), 1), return_logits=True
    )
    found = {}
    for level, name in enumerate(LAYERS):
        stability = calculate_stability_score(logits[:, level], 0.0, options.stability_score_offset)
        good = iou[:, level] > options.pred_iou_thresh
        good &= stability >= options.stability_score_thresh
        masks, own = logits[good, level] > 0, iou[good, level]
        keep = nms(batched_mask_to_box(masks).float(), own, options.box_nms_thresh)
        found[name] = masks[keep].numpy(), (own * stability[good])[keep].clamp(0, 1).numpy()
    return found


def test_masks_are_those_of_the_plain_way(tiny: Any, options: Any) -> None:
    image = two_blocks()
    expected = plain(image, POINTS, options, tiny)
    found = masks_at(image, POINTS, options, tiny)
    assert list(found) == list(LAYERS) and sum(map(len, found.values())) >= 3
    for name, (masks, scores) in expected.items():
        assert np.array_equal(found[name].masks, masks)
        np.testing.assert_allclose(found[name].scores, scores, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_the_size_of_batches_changes_nothing(batch: int, tiny: Any, options: Any) -> None:
    image = two_blocks()
    one = masks_at(image, POINTS, options, tiny)
    other = masks_at(image, POINTS, options.model_copy(update={"points_per_batch": batch}), tiny)
    for name in LAYERS:
        assert np.array_equal(one[name].masks, other[name].masks)


def test_a_level_may_be_empty_and_all_may(
    tiny: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = clicks._decoded

    def without(*empty: int) -> dict[str, Any]:
        def worse(*arguments: Any) -> Any:
            low, predicted = decoded(*arguments)
            predicted[:, list(empty)] = 0
            return low, predicted

        monkeypatch.setattr(clicks, "_decoded", worse)
        return masks_at(two_blocks(), POINTS, options, tiny)

    found = without(1)
    assert len(found["part"]) == 0 and len(found["whole"]) > 0
    assert found["part"].masks.shape == (0, 36, 48)
    assert all(len(masks) == 0 for masks in without(0, 1, 2).values())


def blocks(height: int, width: int) -> np.ndarray:
    """Return a picture uint8 [H, W, 3] of things in a row, small enough to lie within a crop."""
    image = np.full((height, width, 3), 200, np.uint8)
    for place, colour in enumerate([(180, 30, 30), (30, 160, 40), (40, 60, 190), (200, 180, 40)]):
        x = 24 + place * (width - 60) // 4
        image[40:80, x : x + 30] = colour
        image[height - 76 : height - 40, x + 10 : x + 34] = colour[::-1]
    return image


@pytest.fixture
def crops(run_of: Any) -> Any:
    segmenter = run_of("levels").recipe.segmenter
    given = sam_levels.Options.model_validate(segmenter.options)
    return given.model_copy(update={"crop_n_layers": 1, "points_per_side": 8})


def test_crops_answer_as_those_of_the_stock_generator(
    tiny: Any, crops: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "CROP_NMS", 1.0)
    image = blocks(200, 260)
    options = crops.model_copy(update={"box_nms_thresh": 1.0})  # the stock one mixes levels there
    arguments = {**options.model_dump(exclude={"model"}), "crop_nms_thresh": 1.0}
    stock = SamAutomaticMaskGenerator(tiny, **arguments).generate(image)
    found = sam_levels.segment(image, options, tiny, None)
    ours = {mask.tobytes() for some in found.values() for mask in some.masks}
    assert ours == {mask["segmentation"].tobytes() for mask in stock}
    whole = sam_levels.segment(image, options.model_copy(update={"crop_n_layers": 0}), tiny, None)
    assert ours > {mask.tobytes() for some in whole.values() for mask in some.masks}


@pytest.mark.parametrize("cleaned", [0, 60])
@pytest.mark.parametrize("crop_n_layers", [0, 1])
def test_one_list_is_that_of_the_stock_generator_in_its_order(
    tiny: Any, crops: Any, crop_n_layers: int, cleaned: int
) -> None:
    image = blocks(200, 260)
    changes = {"crop_n_layers": crop_n_layers, "min_mask_region_area": cleaned}
    options = crops.model_copy(update=changes)
    stock = SamAutomaticMaskGenerator(tiny, **options.model_dump(exclude={"model"}))
    records = stock.generate(image)
    (found,) = sam_automatic.segment(image, options, tiny, None).values()
    assert len(found) == len(records) > 3
    for mask, score, record in zip(found.masks, found.scores, records, strict=True):
        assert np.array_equal(mask, record["segmentation"])
        assert score == pytest.approx(record["predicted_iou"] * record["stability_score"])


def test_small_islands_and_holes_go_and_small_masks_stay(crops: Any) -> None:
    masks = np.zeros((3, 20, 30), bool)
    masks[0, 2:12, 2:12] = True
    masks[0, 5, 5] = False  # a hole of 1
    masks[0, 15:17, 25:27] = True  # an island of 4
    masks[1, 15:17, 2:4] = True  # a mask of 4
    masks[2, 2:12, 2:13] = True  # the first one's once that is clean, and never touched
    options = crops.model_copy(update={"min_mask_region_area": 5})
    found = levels.cleaned(Masks(masks, np.array([0.9, 0.8, 0.7], np.float32)), options)
    assert found.scores.tolist() == pytest.approx([0.7, 0.8])
    assert found.masks[0].sum() == 110 and found.masks[1].sum() == 4
    alone = levels.cleaned(Masks(masks[:1], np.ones(1, np.float32)), options)
    assert alone.masks.sum() == 100 and not alone.masks[0, 15:].any()
    assert levels.cleaned(Masks(masks[:0], np.ones(0, np.float32)), options).masks.shape[0] == 0


def test_granular_masks_are_cleaned_level_by_level(tiny: Any, options: Any) -> None:
    cleaning = options.model_copy(update={"min_mask_region_area": 200, "box_nms_thresh": 0.9})
    found = sam_granular.segment(two_blocks(), cleaning, tiny, POINTS)
    apart = masks_at(two_blocks(), POINTS, cleaning, tiny)
    for name, masks in apart.items():
        assert np.array_equal(found[name].masks, levels.cleaned(masks, cleaning).masks)
    changed = [not np.array_equal(found[name].masks, apart[name].masks) for name in LAYERS]
    assert any(changed)


def test_recipes_that_ask_alike_share_the_answers(
    tiny_weights: Any, crops: Any, tmp_path: Any
) -> None:
    image, options = blocks(120, 160), crops.model_copy(update={"crop_n_layers": 0})
    apart = sam_levels.segment(image, options, sam.open_model(tiny_weights, "cpu"), None)
    first, second, third = (Cache(tmp_path) for _ in range(3))
    sam_automatic.segment(image, options, sam.open_model(tiny_weights, "cpu", first), None)
    assert first.made == 2  # answers and the embedding
    model = sam.open_model(tiny_weights, "cpu", second)
    looser = options.model_copy(update={"box_nms_thresh": 0.9})
    for name, masks in sam_levels.segment(image, options, model, None).items():
        assert np.array_equal(masks.masks, apart[name].masks)
        assert np.array_equal(masks.scores, apart[name].scores)
    sam_levels.segment(image, looser, model, None)
    assert (second.made, second.served) == (0, 2)
    model = sam.open_model(tiny_weights, "cpu", third)
    sam_levels.segment(image, options.model_copy(update={"pred_iou_thresh": 0.3}), model, None)
    sam_levels.segment(image[:, ::-1], options, model, None)
    sam_levels.segment(image, options.model_copy(update={"points_per_side": 4}), model, None)
    assert third.made == 4  # three times answers, one embedding
    assert not list(tmp_path.rglob("*.lock"))


def test_a_mask_that_the_border_of_a_crop_cuts_off_is_dropped(tiny: Any, crops: Any) -> None:
    image, points = blocks(200, 260), np.array([[40.0, 60.0]])
    options = crops.model_copy(update={"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0})
    seen = masks_at(image, points, options, tiny, (0, 0, 200, 160))
    assert any(len(masks) for masks in seen.values())
    for masks in seen.values():
        assert masks.masks.shape[1:] == (200, 260) and not masks.masks[:, 160:].any()
    cut = masks_at(image, points, options, tiny, (0, 0, 44, 160))  # the block ends at 54
    assert not any(masks.masks[:, :, 43].any() for masks in cut.values())


def test_of_two_masks_that_agree_that_of_the_smaller_crop_is_kept() -> None:
    thing, other = np.zeros((2, 60, 80), bool)
    thing[10:30, 10:40] = True
    other[40:50, 60:70] = True
    of_crop = thing.copy()
    of_crop[29, 10] = False  # the same box
    whole = Masks(np.stack([thing, other]), np.float32([0.9, 0.8]))
    part = Masks(of_crop[None], np.float32([0.3]))
    joined = levels._joined([whole, part], [60 * 80, 40 * 50])
    assert joined.scores.tolist() == pytest.approx([0.3, 0.8])
    assert np.array_equal(joined.masks, np.stack([of_crop, other]))


def test_crops_without_masks_are_joined_to_none(tiny: Any, crops: Any) -> None:
    options = crops.model_copy(update={"pred_iou_thresh": 1.0})
    found = sam_levels.segment(blocks(200, 260), options, tiny, None)
    assert all(some.masks.shape == (0, 200, 260) for some in found.values())


def test_answers_of_alike_crops_are_told_apart_by_their_place(
    tiny: Any, tiny_weights: Any, crops: Any, tmp_path: Any
) -> None:
    alone = blocks(120, 160)
    whole = np.tile(alone, (2, 2, 1))  # here borders of crops cut masks off
    options = crops.model_copy(update={"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0})
    cached = sam.open_model(tiny_weights, "cpu", Cache(tmp_path))
    points = np.array([[40.0, 60.0], [5.0, 5.0], [150.0, 110.0]])
    found = []
    for image, crop in ((alone, (0, 0, 160, 120)), (whole, (160, 120, 320, 240))):
        expected = masks_at(image, points, options, tiny, crop)
        for name, masks in masks_at(image, points, options, cached, crop).items():
            assert np.array_equal(masks.masks, expected[name].masks)
        found.append(sum(map(len, expected.values())))
    assert len(set(found)) > 1


def test_of_two_that_want_the_same_one_computes_and_the_other_waits(tmp_path: Any) -> None:
    made: list[int] = []

    def compute() -> dict[str, Any]:
        made.append(1)
        time.sleep(0.2)
        return {"n": np.arange(3)}

    def want(_: int) -> Any:
        return Cache(tmp_path).shared(tmp_path / "a.npz", compute)["n"]

    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(n, np.arange(3)) for n in pool.map(want, range(4)))
    assert len(made) == 1 and [p.name for p in tmp_path.iterdir()] == ["a.npz"]
