"""SAM encodes an image once, whatever is asked of its embedding, and the embedding is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.features import sam
from semsplat.features.cache import Cache
from semsplat.features.embedded.sam import load_sam
from semsplat.features.extraction import write_features
from semsplat.features.segmenters import sam_automatic, segmenter_kind
from semsplat.features.weights import Weights, find_weights
from semsplat.params.features import SamModel
from tests.unit.features.conftest import two_blocks


@pytest.fixture
def weights(params: Any) -> Weights[SamModel]:
    return find_weights(params.features.sam_models["tiny"])


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """What SAM encodes from now on, image by image."""
    seen: list[torch.Tensor] = []
    encoded = sam.ImageEncoder._encoded

    def counted(self: Any, images: torch.Tensor) -> torch.Tensor:
        seen.extend(images)
        return encoded(self, images)

    monkeypatch.setattr(sam.ImageEncoder, "_encoded", counted)
    return seen


def asking(run: Any, **options: Any) -> Any:
    """Return a run whose segmenter has other options."""
    recipe = run.recipe
    changed = {**recipe.segmenter.options, **options}
    segmenter = recipe.segmenter.model_copy(update={"options": changed})
    return run.model_copy(update={"recipe": recipe.model_copy(update={"segmenter": segmenter})})


@pytest.mark.parametrize("recipe", ["regions", "levels"])
def test_a_changed_threshold_never_encodes_an_image_again(
    recipe: str, run_of: Any, write_scene: Any, tmp_path: Path, encodings: list[torch.Tensor]
) -> None:
    scene, run = write_scene([two_blocks(), two_blocks()[::-1]]), run_of(recipe)

    def extract(run: Any, name: str, cache: str = "cache") -> dict[str, bytes]:
        out = tmp_path / name
        write_features(scene, out, tmp_path / cache, run.model_dump_json(), None, "cpu")
        return {path.name: path.read_bytes() for path in (out / "views").iterdir()}

    first = extract(run, "first")
    assert len(encodings) == 2
    stricter = asking(run, stability_score_thresh=0.9, points_per_side=5)
    second = extract(stricter, "second")
    assert len(encodings) == 2 and second != first
    numbers = json.loads((tmp_path / "second" / "run.json").read_text())["numbers"]
    assert numbers["cache_served"] >= 2
    assert extract(stricter, "afresh", "other_cache") == second and len(encodings) == 4


def test_crops_of_the_automatic_mode_are_remembered_too(
    run_of: Any, weights: Weights[SamModel], tmp_path: Path, encodings: list[torch.Tensor]
) -> None:
    run = asking(run_of("regions"), crop_n_layers=1)
    options = segmenter_kind("sam_automatic").Options.model_validate(run.recipe.segmenter.options)
    image = np.random.default_rng(0).integers(0, 256, (36, 48, 3), dtype=np.uint8)
    for _ in range(2):
        model = sam.open_model(weights, "cpu", Cache(tmp_path))
        sam_automatic.segment(image, options, model, None)
    assert len(encodings) == 5  # the image and its quarters


def test_embeddings_are_bit_for_bit_those_of_the_plain_encoder(
    weights: Weights[SamModel], tmp_path: Path
) -> None:
    images = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0)) * 4 - 2
    expected = load_sam(weights.path).image_encoder(images)
    for opened in (None, Cache(tmp_path), Cache(tmp_path)):  # without, made, served
        found = sam.open_model(weights, "cpu", opened).image_encoder(images)
        assert found.dtype == torch.float32 and torch.equal(found, expected)


@pytest.mark.parametrize(
    "change", [{"sha256": "0" * 64}, {"image": True}, {"device_precision": True}]
)
def test_another_model_image_or_precision_is_another_entry(
    change: dict[str, Any],
    weights: Weights[SamModel],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encodings: list[torch.Tensor],
) -> None:
    images = torch.zeros(1, 3, 160, 160)
    sam.open_model(weights, "cpu", Cache(tmp_path)).image_encoder(images)
    if "sha256" in change:
        spec = weights.spec.model_copy(update=change)
        weights = Weights(weights.path, spec, None)
    if "image" in change:
        images = images + 1e-6
    if "device_precision" in change:
        monkeypatch.setattr("semsplat.features.sam.precision_on", lambda *_: "float16")
    sam.open_model(weights, "cpu", Cache(tmp_path)).image_encoder(images)
    assert len(encodings) == 2
