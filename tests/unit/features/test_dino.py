"""DINO's maps: whose keys they are, where patches start, and that files hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import ViTModel

from semsplat.errors import SemsplatError
from semsplat.experiment.plan.weights import recipe_weights
from semsplat.features import hub
from semsplat.features.dino import Dino, last_keys, short_side
from semsplat.features.extraction import write_features
from semsplat.features.store import open_features
from semsplat.io import sha256_file
from semsplat.params.features import DinoMaps
from semsplat.params.hub import HubModel
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import two_blocks
from tests.unit.features.hub_helpers import write_dino

BARE = {"add_pooling_layer": False}  # which DINO's weights lack


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> HubModel:
    return write_dino(tmp_path_factory.mktemp("dino"))


def maps(spec: HubModel, stride_px: int = 8, short_side_px: int = 32) -> DinoMaps:
    return DinoMaps(model=spec, short_side_px=short_side_px, stride_px=stride_px)


def pictures(height: int, width: int) -> torch.Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def plain_keys(model: Any, images: torch.Tensor, **told: bool) -> torch.Tensor:
    """The keys of the last layer by transformers' own way: its input, normalised, projected."""
    states = model(images, output_hidden_states=True, **told).hidden_states
    last = model.layers[-1]
    return last.attention.k_proj(last.layernorm_before(states[len(model.layers) - 1]))[:, 1:]


def test_patches_side_by_side_have_the_plain_models_keys(spec: HubModel) -> None:
    model, images = hub.open_model(ViTModel, spec, "cpu", **BARE), pictures(32, 32)
    expected = plain_keys(model, images)
    found = last_keys(model, images)
    assert found.shape == (1, 16, 4, 4)
    torch.testing.assert_close(found.flatten(2).transpose(1, 2), expected)


def test_another_grid_has_its_positions_resized_as_the_plain_model_does(spec: HubModel) -> None:
    model, images = hub.open_model(ViTModel, spec, "cpu", **BARE), pictures(40, 56)
    expected = plain_keys(model, images, interpolate_pos_encoding=True)
    found = last_keys(model, images)
    assert found.shape == (1, 16, 5, 7)
    torch.testing.assert_close(found.flatten(2).transpose(1, 2), expected)


def test_patches_start_every_stride(spec: HubModel) -> None:
    opened = Dino(maps(spec, stride_px=2), "cpu")
    images, projection = pictures(32, 40), opened.model.embeddings.patch_embeddings.projection
    # 1 + (32 - 8) / 2 rows, 1 + (40 - 8) / 2 columns
    assert last_keys(opened.model, images).shape == (1, 16, 13, 17)
    second = F.conv2d(images[..., 4:12, 2:10], projection.weight, projection.bias)
    torch.testing.assert_close(projection(images)[..., 2:3, 1:2], second)
    assert last_keys(opened.model, pictures(33, 41)).shape == (1, 16, 13, 17)


def test_the_short_side_has_the_size_told_and_the_shape_stays() -> None:
    image = np.zeros((36, 48, 3), np.uint8)
    assert short_side(image, 224).shape == (224, 298, 3)
    assert short_side(image.transpose(1, 0, 2), 18).shape == (24, 18, 3)
    ramp = np.linspace(0, 255, 48).astype(np.uint8)[None, :, None].repeat(36, 0).repeat(3, 2)
    assert (np.diff(short_side(ramp, 18)[0, :, 0].astype(int)) > 0).all()


def test_a_map_is_the_keys_of_the_normalised_image_on_the_cells(spec: HubModel) -> None:
    opened = Dino(maps(spec), "cpu")
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    found = opened.encode(image, (3, 5))
    assert found.dtype == np.float16 and found.shape == (16, 3, 5)
    np.testing.assert_allclose(np.linalg.norm(found.astype(float), axis=0), 1, atol=2e-3)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = ((torch.from_numpy(image) / 255 - mean) / std).permute(2, 0, 1)[None]
    keys = plain_keys(opened.model, pixels, interpolate_pos_encoding=True)
    grid = keys.transpose(1, 2).unflatten(2, (4, 6))
    expected = F.normalize(F.interpolate(grid, (3, 5), mode="bilinear")[0], dim=0)
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-3)


def test_another_model_is_refused(spec: HubModel, tmp_path: Path) -> None:
    config = json.loads(Path(spec.folder, "config.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps(config | {"model_type": "deit"}))
    (other / "model.safetensors").write_bytes(Path(spec.folder, "model.safetensors").read_bytes())
    with pytest.raises(SemsplatError, match="holds a deit; vit is needed"):
        Dino(maps(spec.model_copy(update={"folder": str(other)})), "cpu")


def test_images_smaller_than_a_patch_are_one_line(spec: HubModel) -> None:
    with one_line_error("dino_maps.short_side_px: 7, but a patch", "has 8"):
        Dino(maps(spec, short_side_px=7), "cpu")
    assert Dino(maps(spec, short_side_px=8), "cpu").encode(two_blocks(), (1, 1)).any()


# the extraction


def extracted(run: Any, scene: Path, out: Path) -> tuple[Any, dict[str, Any]]:
    write_features(scene, out, out.parent / "cache", run.model_dump_json(), None, "cpu")
    return open_features(out), json.loads((out / "run.json").read_text())


def test_a_recipe_with_dino_has_its_map_on_clips_cells(
    spec: HubModel, run_of: Any, write_scene: Any, tmp_path: Path
) -> None:
    scene, asked = write_scene([two_blocks()] * 2), maps(spec, stride_px=4)
    plain, _ = extracted(run_of("pyramid"), scene, tmp_path / "plain")
    run = run_of("pyramid", dino_maps=asked)
    both, card = extracted(run, scene, tmp_path / "both")
    bare, view = plain.view("view_0"), both.view("view_0")
    assert bare.dino is None and view.dino is not None and view.dense is not None
    assert view.dino.shape == (16, *view.dense.shape[1:])
    photograph = Dino(asked, "cpu").encode(two_blocks(), view.dense.shape[1:])
    np.testing.assert_array_equal(view.dino, photograph)
    for name in ("ids", "scores", "dense"):
        np.testing.assert_array_equal(getattr(view, name), getattr(bare, name))
    digest = sha256_file(Path(spec.folder) / "model.safetensors")
    assert both.manifest["models"]["dino"]["sha256"] == digest
    assert card["config"]["recipe"]["dino_maps"]["model"]["sha256"] == digest
    assert "dino" not in plain.manifest["models"]


def test_what_a_map_depends_on_is_computed_anew(
    spec: HubModel, run_of: Any, write_scene: Any, tmp_path: Path
) -> None:
    scene, made = write_scene([two_blocks()]), []
    for place, asked in enumerate([maps(spec), maps(spec), maps(spec, 4), maps(spec, 8, 40)]):
        run = run_of("pyramid", dino_maps=asked)
        made.append(extracted(run, scene, tmp_path / f"{place}")[1]["numbers"]["cache_made"])
    assert made == [3, 0, 1, 1]  # masks, dense and DINO's map; the latter alone


def test_weights_are_waited_for_and_checked(
    spec: HubModel, run_of: Any, write_scene: Any, tmp_path: Path
) -> None:
    run = run_of("pyramid", dino_maps=maps(spec))
    assert recipe_weights(run) == [Path(spec.folder, "model.safetensors")]
    assert recipe_weights(run_of("pyramid")) == []
    wrong = maps(spec.model_copy(update={"sha256": "0" * 64}))
    with one_line_error("sha256", "params.yaml expects 000000000000"):
        extracted(run_of("pyramid", dino_maps=wrong), write_scene([two_blocks()]), tmp_path / "x")


def test_dino_takes_the_cells_of_dense_maps(run_of: Any, spec: HubModel) -> None:
    recipe = run_of("levels").recipe.model_dump() | {"dino_maps": maps(spec).model_dump()}
    with pytest.raises(ValueError, match="dino_maps takes the cells of dense maps"):
        type(run_of("levels").recipe).model_validate(recipe)
