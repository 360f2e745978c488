"""SAM's three outputs: what is dropped early would have been dropped anyway."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.utils.amg import batched_mask_to_box, calculate_stability_score
from torchvision.ops import nms

from semsplat.features import levels, sam
from semsplat.features.levels import LAYERS, levels_at
from semsplat.features.segmenters import segmenter_kind
from semsplat.features.weights import find_weights
from tests.unit.features.conftest import two_blocks

POINTS = np.array([[13, 18], [35, 18], [2, 2], [13, 7], [30, 25], [24, 33], [45, 20]], np.float32)


@pytest.fixture(scope="module")
def tiny(params: Any) -> Any:
    return sam.open_model(find_weights(params.features.sam_models["tiny"]), "cpu")


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
    found = levels_at(image, POINTS, options, tiny)
    assert list(found) == list(LAYERS) and sum(map(len, found.values())) >= 3
    for name, (masks, scores) in expected.items():
        assert np.array_equal(found[name].masks, masks)
        np.testing.assert_allclose(found[name].scores, scores, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_the_size_of_batches_changes_nothing(batch: int, tiny: Any, options: Any) -> None:
    image = two_blocks()
    one = levels_at(image, POINTS, options, tiny)
    other = levels_at(image, POINTS, options.model_copy(update={"points_per_batch": batch}), tiny)
    for name in LAYERS:
        assert np.array_equal(one[name].masks, other[name].masks)


def test_a_level_may_be_empty_and_all_may(
    tiny: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = levels._decoded

    def without(*empty: int) -> dict[str, Any]:
        def worse(*arguments: Any) -> Any:
            low, predicted = decoded(*arguments)
            predicted[:, list(empty)] = 0
            return low, predicted

        monkeypatch.setattr(levels, "_decoded", worse)
        return levels_at(two_blocks(), POINTS, options, tiny)

    found = without(1)
    assert len(found["part"]) == 0 and len(found["whole"]) > 0
    assert found["part"].masks.shape == (0, 36, 48)
    assert all(len(masks) == 0 for masks in without(0, 1, 2).values())
