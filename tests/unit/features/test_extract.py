"""The whole phase on small pictures, with the embedded networks and without any."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semsplat.errors import SemsplatError
from semsplat.features import clip as clip_models
from semsplat.features import extract
from semsplat.features.extract import _remember
from semsplat.features.extraction import write_features
from semsplat.features.masks import Masks, no_masks
from semsplat.features.outlines import contrast, snapped
from semsplat.features.segmenters import sam_automatic, sam_granular
from semsplat.features.store import open_features
from semsplat.features.weights import find_weights
from semsplat.io import sha256_file
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import replace_image, two_blocks, write_wall_geometry

RECIPES = ("regions", "levels", "weightless")


def features(run, scene: Path, tmp_path: Path, name: str = "out", cache: str = "cache",
             geometry: Path | None = None):  # fmt: skip
    """Extract and return the opened features and the card's numbers."""
    out = tmp_path / name
    write_features(scene, out, tmp_path / cache, run.model_dump_json(), geometry, "cpu")
    return open_features(out), json.loads((out / "run.json").read_text())["numbers"]


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the card, which tells times."""
    found = [p for p in folder.rglob("*") if p.is_file() and p.name != "run.json"]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


@pytest.mark.parametrize("recipe", RECIPES)
def test_shapes_types_and_lengths(recipe, run_of, write_scene, tmp_path):
    run = run_of(recipe)
    opened, numbers = features(run, write_scene([two_blocks()] * 2), tmp_path)
    assert opened.layers == (["all"] if run.recipe.regions.pool else ["subpart", "part", "whole"])
    assert numbers["n_views"] == 2  # held-out views too: they are scored later
    view = opened.view("view_0")
    assert view.ids.dtype == np.int16 and view.ids.shape == (len(opened.layers), 36, 48)
    assert view.vectors.dtype == np.float16 and view.scores.dtype == np.float16
    assert len(view.scores) == len(view.vectors) > 0
    assert view.ids.max() < len(view.scores)
    np.testing.assert_allclose(np.linalg.norm(view.vectors.astype(float), axis=1), 1, atol=2e-3)
    assert (view.dense is None) == (run.recipe.dense is None)
    if view.dense is not None:
        np.testing.assert_allclose(np.linalg.norm(view.dense.astype(float), axis=0), 1, atol=2e-3)
    assert opened.prompts("classes") == ["chair", "mug"]
    assert opened.manifest["class_ids"] == [3, 7]
    text = opened.text_vectors("canonical")
    np.testing.assert_allclose(np.linalg.norm(text, axis=1), 1, atol=1e-5)


def test_outlines_are_snapped_as_far_as_the_recipe_says(run_of, write_scene, tmp_path):
    scene, run = write_scene([two_blocks()] * 2), run_of("regions")
    found = {
        reach: features(
            run_of("regions", regions=run.recipe.regions.model_copy(update={"snap_px": reach})),
            scene, tmp_path, f"out_{reach}",
        )[0].view("view_0").ids
        for reach in (None, 2)
    }  # fmt: skip
    expected = snapped(found[None][0], contrast(two_blocks()), 2)
    assert np.array_equal(found[2][0], expected) and not np.array_equal(found[2], found[None])


def test_rows_belong_to_one_layer_each(run_of, write_scene, tmp_path):
    opened, _ = features(run_of("levels"), write_scene([two_blocks()] * 2), tmp_path)
    seen = [set(np.unique(layer)) - {-1} for layer in opened.view("view_0").ids]
    assert not (seen[0] & seen[1] or seen[1] & seen[2] or seen[0] & seen[2])


@pytest.mark.parametrize("recipe", RECIPES)
def test_twice_the_same_bytes_whatever_the_ground_truth(recipe, run_of, write_scene, tmp_path):
    images = [two_blocks(), two_blocks()[:, ::-1]]
    run = run_of(recipe)
    first, _ = features(run, write_scene(images, "a"), tmp_path, "one", "cache_1")
    noise, _ = features(run, write_scene(images, "b", truth_seed=9), tmp_path, "two", "cache_2")
    assert files(first.folder) == files(noise.folder)


def test_a_second_run_computes_nothing(run_of, write_scene, tmp_path):
    scene, run = write_scene([two_blocks(), two_blocks()[::-1]]), run_of("regions")
    first, fresh = features(run, scene, tmp_path, "one")
    again, served = features(run, scene, tmp_path, "two")
    assert fresh["cache_made"] == 10 and served["cache_made"] == 0
    assert files(first.folder) == files(again.folder)


@pytest.mark.parametrize(
    "changes", [{"min_area_px": 120}, {"paint": "score_last"}, {"drop_nested": True}]
)
def test_changing_what_comes_later_encodes_nothing(changes, run_of, write_scene, tmp_path):
    scene, run = write_scene([two_blocks()] * 2), run_of("weightless")
    features(run, scene, tmp_path)
    regions = run.recipe.regions.model_copy(update=changes)
    changed = run_of("weightless", regions=regions)
    _, numbers = features(changed, scene, tmp_path, "changed")
    assert numbers["cache_made"] == 0


def test_vectors_do_not_depend_on_what_was_cached_before(run_of, write_scene, tmp_path):
    scene, run = write_scene([two_blocks()] * 2), run_of("weightless")
    strict = run.recipe.regions.model_copy(update={"min_area_px": 300})
    features(run_of("weightless", regions=strict), scene, tmp_path, "few")
    after, _ = features(run, scene, tmp_path, "after")
    fresh, _ = features(run, scene, tmp_path, "fresh", "other_cache")
    assert files(after.folder) == files(fresh.folder)


def test_recipes_that_run_side_by_side_lose_no_vectors(tmp_path):
    def add(k):
        _remember(tmp_path / "image.npz", {f"mask_{k}": np.full(4, k, np.float16)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    kept = _remember(tmp_path / "image.npz", {})
    assert {name: vector[0] for name, vector in kept.items()} == {f"mask_{k}": k for k in range(40)}


def test_another_image_is_another_entry(run_of, write_scene, tmp_path):
    run = run_of("weightless")
    features(run, write_scene([two_blocks()] * 2, "a"), tmp_path)
    darker = two_blocks() // 2
    _, numbers = features(run, write_scene([darker] * 2, "b"), tmp_path, "other")
    assert numbers["cache_made"] == 3  # both views show the same picture


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("image", [np.zeros((36, 48, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)])
def test_black_and_one_pixel_images(recipe, image, run_of, write_scene, tmp_path):
    opened, _ = features(run_of(recipe), write_scene([image] * 2), tmp_path)
    view = opened.view("view_0")
    assert view.ids.shape[1:] == image.shape[:2]
    assert np.isfinite(view.vectors).all()


@pytest.mark.parametrize("recipe", ["regions", "levels"])
def test_no_mask_found(recipe, run_of, write_scene, tmp_path):
    run = run_of(recipe)
    options = {**run.recipe.segmenter.options, "pred_iou_thresh": 1.0}
    nothing = run.recipe.segmenter.model_copy(update={"options": options})
    opened, numbers = features(run_of(recipe, segmenter=nothing), write_scene([two_blocks()] * 2),
                               tmp_path)  # fmt: skip
    assert numbers["n_regions"] == 0
    view = opened.view("view_0")
    assert (view.ids == -1).all() and view.vectors.shape == (0, 64)


def test_an_opaque_rgba_image_is_read(run_of, write_scene, tmp_path):
    scene = write_scene([two_blocks()] * 2)
    run = run_of("weightless")
    plain, _ = features(run, scene, tmp_path, "plain")
    replace_image(scene, "view_0", Image.fromarray(two_blocks()).convert("RGBA"))
    rgba, _ = features(run, scene, tmp_path, "rgba")
    assert np.array_equal(plain.view("view_0").ids, rgba.view("view_0").ids)


def test_a_16_bit_image_is_one_line(run_of, write_scene, tmp_path):
    scene = write_scene([two_blocks()] * 2)
    deep = Image.fromarray(np.full((36, 48), 40_000, np.uint16))
    replace_image(scene, "view_0", deep)
    with pytest.raises(SemsplatError, match="convert it to 8-bit RGB") as error:
        features(run_of("weightless"), scene, tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


# prompts that follow a geometry


@pytest.fixture
def wall(tmp_path):
    return write_wall_geometry(tmp_path / "geometry", z=3.0)


def test_granular_features_tell_where_sam_was_asked(run_of, write_scene, wall, tmp_path):
    scene, run = write_scene([two_blocks()] * 2), run_of("granular")
    opened, numbers = features(run, scene, tmp_path, geometry=wall)
    assert opened.layers == ["subpart", "part", "whole"] and numbers["n_regions"] > 0
    view = opened.view("view_1")
    assert view.points.dtype == np.float32 and 64 <= len(view.points) <= 100  # base of 1
    assert view.depth.dtype == np.float16 and view.depth.shape == (36, 48)
    card = json.loads((opened.folder / "run.json").read_text())
    assert card["inputs"]["geometry"] == sha256_file(wall / "point_cloud.ply")
    again, served = features(run, scene, tmp_path, "again", geometry=wall)
    assert served["cache_made"] == 0 and files(again.folder) == files(opened.folder)


def test_other_prompts_are_answered_anew(run_of, write_scene, wall, tmp_path):
    scene, run = write_scene([two_blocks()] * 2), run_of("granular")
    _, first = features(run, scene, tmp_path, geometry=wall)
    half = write_wall_geometry(tmp_path / "half", z=3.0, right=0.0)
    _, other = features(run, scene, tmp_path, "half_out", geometry=half)
    assert first["cache_made"] == 7  # the views show one picture, which is embedded once
    assert other["cache_made"] >= 4  # answers and masks of both views


def test_a_recipe_without_prompts_keeps_none(run_of, write_scene, wall, tmp_path):
    opened, _ = features(run_of("weightless"), write_scene([two_blocks()] * 2), tmp_path)
    assert opened.view("view_0").points is None and opened.view("view_0").depth is None


def test_prompts_without_a_geometry_are_one_line(run_of, write_scene, tmp_path):
    with one_line_error("recipe granular", "--geometry"):
        features(run_of("granular"), write_scene([two_blocks()] * 2), tmp_path)
    assert not (tmp_path / "out").exists()


def test_prompts_without_a_seed_are_one_line(run_of, write_scene, wall, tmp_path):
    run = run_of("granular").model_copy(update={"seed": None})
    with one_line_error("recipe granular", "seed in --config"):
        features(run, write_scene([two_blocks()] * 2), tmp_path, geometry=wall)
    assert not (tmp_path / "out").exists()


def test_an_empty_level_is_a_layer_without_regions(
    run_of, write_scene, wall, tmp_path, monkeypatch
):
    def found(image, *_):
        layers = {name: no_masks(*image.shape[:2]) for name in ("subpart", "part", "whole")}
        return {**layers, "part": Masks(np.ones((1, *image.shape[:2]), bool), np.ones(1))}

    monkeypatch.setattr(sam_granular, "segment", found)
    scene = write_scene([two_blocks()] * 2)
    view = features(run_of("granular"), scene, tmp_path, geometry=wall)[0].view("view_0")
    assert [layer.max() for layer in view.ids] == [-1, 0, -1] and len(view.vectors) == 1


def many_masks(image, *_):
    """A thousand masks of a pixel each."""
    masks = np.eye(1000, image.shape[0] * image.shape[1], dtype=bool)
    return {"all": Masks(masks.reshape(-1, *image.shape[:2]), np.ones(1000, np.float32))}


def test_a_thousand_regions_are_kept_apart(run_of, write_scene, tmp_path, monkeypatch):
    run = run_of("regions")
    each = run.recipe.regions.model_copy(update={"min_area_px": 1})
    run, scene = run_of("regions", regions=each), write_scene([two_blocks()] * 2)
    monkeypatch.setattr(sam_automatic, "segment", many_masks)
    view = features(run, scene, tmp_path)[0].view("view_0")
    assert sorted(np.unique(view.ids)) == [-1, *range(1000)] and len(view.vectors) == 1000
    monkeypatch.setattr(extract, "MOST_REGIONS", 999)
    with one_line_error("view_0", "1000 regions", "min_score"):
        features(run, scene, tmp_path, "too_many")


def test_untrained_words_are_refused(run_of, params):
    model = clip_models.open_model(find_weights(run_of("regions").clip), "cpu")
    with pytest.raises(SemsplatError, match=r"'red dragon'.*\['dragon'\]"):
        model.encode_texts(["red dragon"], ["a photo of a {}"])


def test_every_prompt_of_the_suites_is_trained(params):
    from semsplat.data.world.primitives import CLASSES

    for recipe in params.features.recipes.values():
        spec = params.features.clip_models[recipe.clip]
        if spec.weights == "embedded":
            model = clip_models.open_model(find_weights(spec), "cpu")
            templates = params.features.templates[recipe.templates]
            model.encode_texts(
                [*CLASSES, *recipe.canonical], templates
            )  # raises for a strange word


def test_other_weights_are_refused(run_of, write_scene, tmp_path):
    run = run_of("regions")
    other = run.model_copy(update={"sam": run.sam.model_copy(update={"sha256": "0" * 64})})
    with pytest.raises(SemsplatError, match=r"params\.yaml, .* expect 000000000000"):
        features(other, write_scene([two_blocks()] * 2), tmp_path)
    vit_b = run.sam.model_copy(update={"architecture": "vit_b", "weights": "sam.pth"})
    missing = run.model_copy(update={"sam": vit_b})
    with pytest.raises(SemsplatError, match="no such file; put the weights of vit_b there"):
        features(missing, write_scene([two_blocks()] * 2), tmp_path)
