"""Batches that exceed a GPU's memory are halved, and results stay what they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.features import clip, memory, sam
from semsplat.features.levels import masks_at
from semsplat.features.memory import halving
from semsplat.features.segmenters import sam_automatic, segmenter_kind
from semsplat.features.weights import find_weights
from semsplat.params.features import ValueMaps
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import two_blocks

POINTS = np.random.default_rng(0).uniform((0, 0), (48, 36), (13, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def unwarned() -> None:
    memory._warn_once.cache_clear()


class Limited(torch.nn.Module):
    """A part of a model for which memory suffices up to so many of its inputs at once."""

    def __init__(self, part: Callable[..., Any], most: int, count: Callable[..., int]) -> None:
        super().__init__()
        self.part, self.most, self.count = part, most, count
        self.seen: list[int] = []

    def forward(self, *inputs: Any, **named: Any) -> Any:
        self.seen.append(self.count(*inputs, **named))
        if self.seen[-1] > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.part(*inputs, **named)


def fits(most: int) -> Callable[[int], int]:
    def work(batch: int) -> int:
        if batch > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch

    return work


@pytest.mark.parametrize(("batch", "most", "got"), [(64, 64, 64), (64, 63, 32), (7, 2, 1)])
def test_batches_are_halved_until_they_fit(batch: int, most: int, got: int) -> None:
    assert halving(batch, fits(most), "crop") == got


def test_each_reduction_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        halving(12, fits(5), "click")
    assert capsys.readouterr().err.splitlines() == [
        "warning: 12 clicks exceed the GPU's memory; going on with 6",
        "warning: 6 clicks exceed the GPU's memory; going on with 3",
    ]


def test_where_nothing_fits_one_line_says_what_to_do() -> None:
    with one_line_error("a single image", "smaller images or another GPU"):
        halving(4, fits(0), "image")


def test_other_errors_are_not_taken_for_full_memory() -> None:
    def work(batch: int) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        halving(4, work, "crop")


# the models


class LimitedClip(torch.nn.Module):
    """A CLIP whose memory suffices for so many crops."""

    def __init__(self, model: Any, most: int) -> None:
        super().__init__()
        self.visual = model.visual
        self.encode_image = Limited(model.encode_image, most, len)


@pytest.fixture(scope="module")
def tiny_clip(params: Any) -> clip.Clip:
    return clip.open_model(find_weights(params.features.clip_models["tiny"]), "cpu")


def test_crops_are_encoded_as_if_the_smaller_batch_had_been_asked_for(tiny_clip: clip.Clip) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (9, 48, 48, 3), dtype=np.uint8)
    small = LimitedClip(tiny_clip.model, 2)
    found = replace(tiny_clip, model=small).encode_crops(crops, 8)
    assert small.encode_image.seen == [8, 4, 2, 2, 2, 2, 2]  # every batch filled up
    assert np.array_equal(found, tiny_clip.encode_crops(crops, 2))


def test_a_crop_or_an_image_that_never_fits_is_one_line(
    tiny_clip: clip.Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    visual, image = tiny_clip.model.visual, two_blocks(48, 48)
    monkeypatch.setattr(visual, "conv1", Limited(visual.conv1, 0, len))
    with one_line_error("a single crop", "another GPU"):
        tiny_clip.encode_crops(image[None], 3)
    with one_line_error("a single image", "another GPU"):
        tiny_clip.encode_dense(image, ValueMaps(short_side_px=48), 3)


@pytest.fixture
def tiny_sam(params: Any) -> Any:
    return sam.open_model(find_weights(params.features.sam_models["tiny"]), "cpu")


def limit_clicks(model: Any, most: int) -> Limited:
    """Let the decoder fail where it is asked for more than so many clicks."""

    def clicks(**named: Any) -> int:
        return len(named["sparse_prompt_embeddings"])

    model.mask_decoder = Limited(model.mask_decoder, most, clicks)
    return model.mask_decoder


def options_of(run_of: Any, recipe: str, batch: int) -> Any:
    segmenter = run_of(recipe).recipe.segmenter
    options = {**segmenter.options, "points_per_batch": batch}
    return segmenter_kind(segmenter.kind).Options.model_validate(options)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys() and any(len(masks) for masks in found.values())
    for name, masks in expected.items():
        assert np.array_equal(found[name].masks, masks.masks)
        np.testing.assert_allclose(found[name].scores, masks.scores, rtol=1e-5)


def test_levels_stay_the_same_with_fewer_clicks_at_once(run_of: Any, tiny_sam: Any) -> None:
    options = options_of(run_of, "granular", 8)
    expected = masks_at(two_blocks(), POINTS, options, tiny_sam)
    decoder = limit_clicks(tiny_sam, 2)
    assert_same(masks_at(two_blocks(), POINTS, options, tiny_sam), expected)
    assert decoder.seen[:2] == [7, 4] and max(decoder.seen[2:]) <= 2


def test_automatic_masks_stay_the_same_with_fewer_clicks_at_once(
    run_of: Any, tiny_sam: Any
) -> None:
    options = options_of(run_of, "regions", 16)
    expected = sam_automatic.segment(two_blocks(), options, tiny_sam, None)
    decoder = limit_clicks(tiny_sam, 4)
    assert_same(sam_automatic.segment(two_blocks(), options, tiny_sam, None), expected)
    assert decoder.seen[:3] == [12, 8, 4] and max(decoder.seen[3:]) <= 4


def test_clicks_and_images_that_never_fit_are_one_line(run_of: Any, tiny_sam: Any) -> None:
    options = options_of(run_of, "granular", 8)
    limit_clicks(tiny_sam, 0)
    with one_line_error("a single click"):
        masks_at(two_blocks(), POINTS, options, tiny_sam)
    tiny_sam.image_encoder.encoder = Limited(tiny_sam.image_encoder.encoder, 0, len)
    with one_line_error("a single image"):
        masks_at(two_blocks(), POINTS, options, tiny_sam)
