"""The demo's masks are made with the thresholds that were chosen on worlds of their own."""

from __future__ import annotations


def test_recipes_use_the_tuned_thresholds(params):
    tuned = params.networks.automatic.model_dump()
    options = params.features.recipes["regions"].segmenter.options
    shared = options.keys() & tuned.keys()
    assert {"pred_iou_thresh", "stability_score_thresh", "box_nms_thresh"} <= shared
    assert {key: options[key] for key in shared} == {key: tuned[key] for key in shared}
