"""Encoding through open_clip: windows, ensembles, a stock architecture."""

from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from semsplat.errors import SemsplatError
from semsplat.features import clip as clip_models
from semsplat.features.clip import window_boxes
from semsplat.features.labels import (
    dense_labels,
    pseudo_labels,
    region_labels,
    region_means,
    uniform_weights,
)
from semsplat.features.pyramid import mixture, pyramid_levels, tiles
from semsplat.features.store import ViewFeatures
from semsplat.features.weights import find_weights
from semsplat.io import sha256_file
from semsplat.params.features import ClipModel, PyramidMaps, ValueMaps, WindowMaps

STOCK = "ViT-S-32-alt"  # the smallest of open_clip's own models


@given(
    st.integers(1, 90), st.integers(1, 90), st.floats(0.05, 1.0), st.floats(0.05, 1.0)
)  # fmt: skip
def test_windows_cover_the_image_and_stay_inside(height, width, share, stride):
    config = WindowMaps(short_side_shares=[share], stride=stride, cell_px=4)
    covered = np.zeros((height, width), bool)
    for top, left, side in window_boxes(height, width, config):
        assert 0 <= top <= height - side and 0 <= left <= width - side
        covered[top : top + side, left : left + side] = True
    assert covered.all()


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """A stock open_clip model with random weights on disk, opened as a real one would be."""
    torch.manual_seed(0)
    model = open_clip.create_model(STOCK)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    spec = ClipModel(
        architecture=STOCK, weights=str(path), sha256=sha256_file(path), precision="float32"
    )
    return spec, model.eval(), clip_models.open_model(find_weights(spec), "cpu")


def test_a_stock_model_goes_through_the_same_code(stock):
    _, model, opened = stock
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    mean, std = (torch.tensor(v)[:, None, None] for v in (model.visual.image_mean,
                                                          model.visual.image_std))  # fmt: skip
    images = (torch.from_numpy(crops).permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        expected = torch.nn.functional.normalize(model.encode_image(images), dim=-1).numpy()
    np.testing.assert_allclose(opened.encode_crops(crops, 2), expected, atol=2e-3)


def test_templates_are_averaged_after_normalising(stock):
    _, model, opened = stock
    tokens = open_clip.get_tokenizer(STOCK)(["a cat", "the cat"])
    with torch.no_grad():
        each = torch.nn.functional.normalize(model.encode_text(tokens), dim=-1)
    expected = torch.nn.functional.normalize(each.mean(0), dim=-1).numpy()
    vector = opened.encode_texts(["cat"], ["a {}", "the {}"])[0]
    np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_dense_maps_cover_other_shapes(stock):
    _, _, opened = stock
    image = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    values = opened.encode_dense(image, ValueMaps(short_side_px=96), 4)
    assert values.shape == (opened.dimensions, 3, 5)
    config = WindowMaps(short_side_shares=[1.0, 0.5], stride=0.5, cell_px=20)
    windows = opened.encode_dense(image, config, 4)
    assert windows.shape == (opened.dimensions, 3, 5)
    for dense in (values, windows):
        np.testing.assert_allclose(np.linalg.norm(dense.astype(float), axis=0), 1, atol=3e-3)


@pytest.mark.parametrize("mixed", [1, 2])
def test_a_pyramids_map_is_the_sum_of_the_levels_that_are_mixed(stock, mixed):
    _, _, opened = stock
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    shares = [0.25, 0.5]
    found = opened.encode_dense(image, PyramidMaps(height_shares=shares, mixed=mixed), 4)
    levels = pyramid_levels(60, 80, shares)
    maps = [
        opened.encode_crops(tiles(image, level, opened.crop_px), 4)
        .astype(np.float32)
        .reshape(level.rows, level.columns, -1)
        for level in levels[:mixed]
    ]
    expected = mixture(maps) / np.linalg.norm(mixture(maps), axis=-1, keepdims=True)
    np.testing.assert_allclose(found.transpose(1, 2, 0), expected, atol=1e-3)
    assert found.shape == (opened.dimensions, levels[0].rows, levels[0].columns)


def test_weights_of_another_model_are_one_line(stock, tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"nothing": torch.zeros(1)}, path)
    spec = ClipModel(
        architecture=STOCK, weights=str(path), sha256=sha256_file(path), precision="float32"
    )
    with pytest.raises(SemsplatError, match="not weights of") as error:
        clip_models.open_model(find_weights(spec), "cpu")
    assert "\n" not in str(error.value)


def view_of(ids, vectors, dense=None) -> ViewFeatures:
    half = np.asarray(vectors, np.float16)
    scores = np.ones(len(half), np.float16)
    return ViewFeatures(np.asarray(ids, np.int16)[None], scores, half, dense)


def test_region_labels_are_those_of_the_nearest_text():
    text = np.eye(3, dtype=np.float32)
    view = view_of([[0, 1, -1], [1, 1, 0]], [[0, 0.8, 0.6], [1, 0, 0]])
    assert region_labels(view, text).tolist() == [[2, 1, 0], [1, 1, 2]]


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_dense_labels_of_a_full_size_map_are_the_argmax(seed):
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(4, 5, 6)).astype(np.float16)
    text = rng.normal(size=(3, 4)).astype(np.float32)
    view = view_of(np.full((5, 6), -1), np.zeros((0, 4)), dense)
    expected = np.einsum("dhw,cd->chw", dense.astype(np.float32), text).argmax(0) + 1
    assert np.array_equal(dense_labels(view, text), expected)


def test_region_means_weigh_cells_by_the_share_a_region_covers():
    # Two cells of 2 x 2 pixels; region 0 covers the left one and half of the right one.
    dense = np.array([[[1.0, 4.0]]], np.float16)
    view = view_of([[0, 0, 0, 1], [0, 0, 0, -1]], np.zeros((3, 1)), dense)
    means = region_means(view, uniform_weights(view))
    np.testing.assert_allclose(means[:, 0], [(1 * 1 + 0.5 * 4) / 1.5, 4, 0])


def test_pseudo_labels_are_those_of_region_means_and_outside_of_the_pixels():
    text = np.eye(2, dtype=np.float32)
    cells = np.array([[[1.0, 0.0, 0.0, 1.0]], [[0.0, 0.4, 1.0, 0.0]]], np.float16)
    view = view_of([[0, 0, 1, -1]], np.zeros((2, 2)), cells)
    assert dense_labels(view, text).tolist() == [[1, 2, 2, 1]]
    assert pseudo_labels(view, text).tolist() == [[1, 1, 2, 1]]
    nothing = view_of([[-1, -1, -1, -1]], np.zeros((0, 2)), cells)
    assert pseudo_labels(nothing, text).tolist() == [[1, 2, 2, 1]]


def test_missing_products_are_named():
    nothing = ViewFeatures(np.zeros((1, 2, 2), np.int16), np.ones(1, np.float16), None, None)
    text = np.eye(2, dtype=np.float32)
    with pytest.raises(SemsplatError, match="region_vectors"):
        region_labels(nothing, text)
    with pytest.raises(SemsplatError, match="value_maps"):
        dense_labels(nothing, text)
