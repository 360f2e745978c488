"""How the networks are judged: truth by hand, thresholds as the generator's, one command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator

from semsplat.data.world.primitives import CLASSES
from semsplat.errors import SemsplatError
from semsplat.features import embedded
from semsplat.features.embedded.archive import halved, write_weights
from semsplat.features.embedded.clip import build_clip, save_clip
from semsplat.features.embedded.sam import build_sam, load_sam
from semsplat.io import read_json
from semsplat.networks.quality import clip as clip_quality
from semsplat.networks.quality.automatic import (
    Thresholds,
    best_overlaps,
    candidates,
    kept,
    loosest_settings,
)
from semsplat.networks.quality.clip import Crops, by_size, class_mean
from semsplat.networks.quality.prompts import true_box
from semsplat.networks.quality.report import choose_thresholds, drawn, measure, rounded, table
from semsplat.networks.quality.truth import class_map, overlaps, things
from semsplat.networks.quality.votes import recipe_votes
from semsplat.networks.tiny_clip.train import ClipTrainee
from semsplat.networks.tiny_sam.batches import random_cell, surroundings
from semsplat.networks.tiny_sam.model import initialise
from semsplat.params.features import Recipe
from semsplat.params.networks import Pictures, SeedRange
from semsplat.params.quality import AutomaticMasks, QualityJob, ThresholdGrid, TuningJob
from tests.unit.networks.conftest import CLIP, CLIP_TRAINING, CONFIG, SAM, SHAPE

AUTOMATIC = AutomaticMasks(
    points_per_side=4, pred_iou_thresh=0.0, stability_score_thresh=0.0,
    stability_score_offset=0.05, box_nms_thresh=0.7, min_mask_region_area=0,
)  # fmt: skip
LOOSE = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}


def loose(name: str) -> Recipe:
    """Return a recipe of params.yaml that lets masks of a random SAM through."""
    recipe = Recipe.model_validate(CONFIG["features"]["recipes"][name])
    options = {**recipe.segmenter.options, **LOOSE}
    segmenter = recipe.segmenter.model_copy(update={"options": options})
    return recipe.model_copy(update={"segmenter": segmenter})


RECIPES = {name: loose(name) for name in ("regions", "levels")}
WORLDS = SeedRange(first=9_000_001, count=2)


@pytest.fixture(scope="module")
def sam():
    """Return a random SAM whose masks and scores differ from click to click."""
    torch.manual_seed(3)
    made = build_sam(SAM)
    initialise(made)
    made.eval().requires_grad_(False)
    head = made.mask_decoder.iou_prediction_head.layers[-1]
    head.weight *= 10
    head.bias += 1.0
    return made


def test_things_of_every_level(blocks):
    for level, count, size in [("instance", 14, 100), ("part", 28, 50), ("primitive", 28, 50)]:
        found = things(blocks, 0, level, size)
        assert len(found) == count and {int(thing.mask.sum()) for thing in found} == {size}
        assert things(blocks, 0, level, size + 1) == []
    whole = things(blocks, 0, "instance", 1)
    assert [thing.class_id for thing in whole] == list(range(14))
    assert [thing.color for thing in whole] == [k % 13 for k in range(14)]
    assert [CLASSES[t.class_id] for t in whole if not t.is_object] == ["floor", "wall"]
    assert whole[8].mask[10:, 10:20].all()


def test_the_class_of_every_pixel(blocks):
    classes = class_map(blocks, 0)
    for thing in things(blocks, 0, "instance", 1):
        assert (classes[thing.mask] == thing.class_id).all()


def test_overlaps_by_hand():
    masks = np.array([[[1, 1, 0, 0]], [[0, 0, 0, 0]]], bool)
    truths = np.array([[[1, 1, 0, 0]], [[0, 1, 1, 1]], [[0, 0, 0, 1]]], bool)
    np.testing.assert_allclose(overlaps(masks, truths), [[1, 1 / 4, 0], [0, 0, 0]])


def test_the_best_mask_counts_and_none_is_zero(blocks):
    wanted = things(blocks, 0, "instance", 1)[:2]
    found = [{"segmentation": wanted[0].mask}, {"segmentation": wanted[0].mask | wanted[1].mask}]
    assert best_overlaps(found, wanted).tolist() == [1.0, 0.5]
    assert best_overlaps([], wanted).tolist() == [0.0, 0.0]


def test_accuracies_are_means_over_classes():
    right, classes = np.array([True, True, False, True]), np.array([0, 0, 0, 5])
    assert class_mean(right, classes) == pytest.approx((2 / 3 + 1) / 2)
    crops = Crops(np.zeros((4, 1), np.float32), classes, classes, np.array([40, 99, 100, 399]))
    assert by_size(right, crops) == {
        "30 to 99 px": {"instances": 2, "class_mean_accuracy": 1.0},
        "100 to 399 px": {"instances": 2, "class_mean_accuracy": 0.5},
    }


def test_a_box_is_the_outline_of_its_pixels():
    thing = np.zeros((9, 9), bool)
    thing[2:4, 3:8] = True
    assert true_box(thing).tolist() == [2.5, 1.5, 7.5, 3.5]
    near = surroundings(thing)
    assert not (near & thing).any() and near[1, 3] and near[4, 8] and not near[8, 5]
    rng = np.random.default_rng(0)
    assert all(thing[random_cell(thing, rng)] for _ in range(20))


def test_cached_candidates_are_thinned_as_the_generator_would(sam, pictures):
    grid = ThresholdGrid(
        pred_iou_thresh=[0.0],
        stability_score_thresh=[0.0],
        box_nms_thresh=[0.7],
        max_regions_per_instance=9.0,
    )
    loosest = loosest_settings(AUTOMATIC, grid)
    every = SamAutomaticMaskGenerator(sam, **loosest.model_dump())
    found = every.generate(pictures.images[1])
    scores = sorted(record["predicted_iou"] for record in found)
    stable = sorted(record["stability_score"] for record in found)
    counts = set()
    for share in (0.0, 0.3, 0.6):
        at = int(share * len(found))
        for overlap in (0.5, 0.9):
            thresholds = Thresholds(scores[at], stable[at // 2], overlap)
            settings = loosest.model_copy(update=thresholds._asdict())
            own = SamAutomaticMaskGenerator(sam, **settings.model_dump())
            wanted = own.generate(pictures.images[1])
            chosen = kept(candidates(every, pictures, 1), thresholds)
            masks = [found[k]["segmentation"] for k in chosen]
            assert len(masks) == len(wanted)
            for mask, record in zip(masks, wanted, strict=True):
                assert np.array_equal(mask, record["segmentation"])
            counts.add(len(masks))
    assert len(counts) > 2


@pytest.fixture(scope="module")
def stored(sam, pictures, tmp_path_factory):
    """Return files with weights of a random CLIP and a random SAM."""
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder / "sam.safetensors", halved(sam), SAM)
    tokens = ClipTrainee(CLIP, CLIP_TRAINING, pictures, pictures).token_ids
    save_clip(folder / "clip.safetensors", build_clip(CLIP), CLIP, tokens)
    return folder / "clip.safetensors", folder / "sam.safetensors"


def without_seconds(numbers):
    """Return numbers that are the same in every run."""
    found = {k: without_seconds(v) if isinstance(v, dict) else v for k, v in numbers.items()}
    return {k: v for k, v in found.items() if k not in ("seconds_per_image", "peak_ram_mb")}


def test_one_command_judges_both(stored, tmp_path, capsys):
    run = QualityJob(shape=SHAPE, seeds=WORLDS, automatic=AUTOMATIC, recipes=RECIPES)
    cards = []
    for name in ("once.json", "again.json"):
        measure(*stored, run, tmp_path / name)
        cards.append(read_json(tmp_path / name))
    numbers = [without_seconds(card["numbers"]) for card in cards]
    assert numbers[0] == numbers[1]
    assert cards[0]["config"]["seeds"] == {"first": 9_000_001, "count": 2}
    assert set(cards[0]["inputs"]) == {"clip", "sam"} and cards[0]["machine"]["packages"]
    clip, sam = numbers[0]["clip"], numbers[0]["sam"]
    shares = [clip["class_mean_accuracy"], clip["color_accuracy"], clip["dense_pixel_accuracy"]]
    shares += [sam["prompts"][k] for k in ("best_of_3", "top_scored", "box", "refined")]
    assert all(0 <= share <= 1 for share in shares)
    assert sam["prompts"]["best_of_3"] >= sam["prompts"]["top_scored"]
    assert set(sam["prompts"]["levels"]["output_3"]) == {"primitive", "part", "instance"}
    votes = sam["best_votes"]
    assert set(votes["regions"]) == {"all"} and set(votes["levels"]) == {"subpart", "part", "whole"}
    assert 0 < votes["regions"]["all"]["picture_miou"] <= 1
    assert "class mean accuracy" in capsys.readouterr().out


def test_the_embedded_sams_regions_allow_four_fifths_on_unseen_worlds():
    """The best vote over the demo's regions; with coarser masks votes have nothing to teach."""
    recipe = Recipe.model_validate(CONFIG["features"]["recipes"]["regions"])
    shape = Pictures.model_validate(CONFIG["networks"]["pictures"]["shape"])
    unseen = CONFIG["networks"]["pictures"]["quality"]["first"]
    sam = load_sam(Path(embedded.__file__).parent / "weights/tiny_sam.safetensors")
    votes = recipe_votes(sam, drawn(SeedRange(first=unseen, count=6), shape), recipe)
    assert votes["all"]["picture_miou"] >= 0.8 and votes["all"]["miou"] >= 0.8


def test_a_perfect_clip_is_always_right(blocks, monkeypatch):
    vectors = np.eye(14, dtype=np.float32)
    crops = Crops(vectors, np.arange(14), np.arange(14) % 13, np.full(14, 100))

    def encode(texts):
        told = [next(k for k, name in enumerate(CLASSES) if name in text) for text in texts]
        return vectors[told]

    assert clip_quality.class_vectors(encode).tolist() == vectors.tolist()

    def encode_colors(texts):
        k = next(k for k, name in enumerate(CLASSES) if name in texts[0])
        return vectors[k] * np.eye(13, dtype=np.float32)[k % 13][:, None]

    assert clip_quality.color_accuracy(crops, encode_colors) == 1.0


def tuning(grid: ThresholdGrid) -> TuningJob:
    regions = RECIPES["regions"].regions
    return TuningJob(shape=SHAPE, seeds=WORLDS, automatic=AUTOMATIC, regions=regions, grid=grid)


def test_thresholds_are_the_best_that_make_few_masks(stored, tmp_path):
    grid = ThresholdGrid(
        pred_iou_thresh=[0.0, 0.9], stability_score_thresh=[0.0], box_nms_thresh=[0.3, 0.9],
        max_regions_per_instance=1e9,
    )  # fmt: skip
    run = tuning(grid)
    choose_thresholds(stored[1], run, tmp_path / "all.json")
    numbers = read_json(tmp_path / "all.json")["numbers"]
    settings = numbers["settings"]
    assert len(settings) == 4 and numbers["chosen"] == settings[0]
    best = [row["miou"] for row in settings]
    assert best == sorted(best, reverse=True) and best[0] > 0
    many = settings[0]["regions_per_instance"]
    fewer = run.model_copy(
        update={"grid": grid.model_copy(update={"max_regions_per_instance": many - 0.01})}
    )
    choose_thresholds(stored[1], fewer, tmp_path / "few.json")
    chosen = read_json(tmp_path / "few.json")["numbers"]["chosen"]
    assert chosen == next(row for row in settings if row["regions_per_instance"] < many)


def test_too_many_masks_everywhere_is_one_line(stored, tmp_path):
    grid = ThresholdGrid(
        pred_iou_thresh=[0.0],
        stability_score_thresh=[0.0],
        box_nms_thresh=[1.0],
        max_regions_per_instance=0.1,
    )
    run = tuning(grid)
    with pytest.raises(SemsplatError, match=r"every setting makes over 0\.1 regions"):
        choose_thresholds(stored[1], run, tmp_path / "none.json")


def test_the_table_has_a_line_per_number_and_group():
    results = rounded({"sam": {"a_b": 0.123456, "levels": {"x": 1.0, "y": 2}, "all": [1]}})
    assert [" ".join(line.split()) for line in table({"one": results, "n": 3}).splitlines()] == [
        "one", "sam", "a b 0.1235", "levels x 1.0, y 2", "n 3",
    ]  # fmt: skip
