"""SAM checkpoints at full size with random weights: read, run and refused, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor, sam_model_registry
from torch import Tensor

from semsplat.features import sam
from semsplat.features.cache import Cache
from semsplat.features.segmenters import sam_levels
from semsplat.features.weights import find_weights
from semsplat.params.features import SamModel
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import first_megabyte, two_blocks

pytestmark = pytest.mark.usefixtures("no_network")


def sam_spec(architecture: Any, path: Path) -> SamModel:
    return SamModel(architecture=architecture, weights=str(path), sha256=None, precision="bfloat16")


@pytest.fixture(scope="module")
def sam_state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    state: dict[str, Tensor] = sam_model_registry["vit_b"]().state_dict()
    return state


@pytest.fixture(scope="module")
def sam_file(sam_state: dict[str, Tensor], folder: Path) -> Path:
    torch.save(sam_state, folder / "sam_vit_b.pth")
    return folder / "sam_vit_b.pth"


@pytest.fixture(scope="module")
def predictor(sam_file: Path, folder: Path) -> SamPredictor:
    """Return a ViT-B that has seen an image and remembers its embedding."""
    weights = find_weights(sam_spec("vit_b", sam_file))
    predictor = SamPredictor(sam.open_model(weights, "cpu", Cache(folder / "cache")))
    predictor.set_image(two_blocks())
    return predictor


def test_sam_holds_the_weights_written(
    predictor: SamPredictor, sam_state: dict[str, Tensor]
) -> None:
    found = {
        name.replace("image_encoder.encoder.", "image_encoder."): tensor
        for name, tensor in predictor.model.state_dict().items()
    }
    assert found.keys() == sam_state.keys() and not predictor.model.training
    assert all(torch.equal(found[name], tensor) for name, tensor in sam_state.items())


def test_sam_answers_clicks(predictor: SamPredictor) -> None:
    assert predictor.features.shape == (1, 256, 64, 64)
    assert predictor.features.dtype == torch.float32 and predictor.device.type == "cpu"
    masks, scores, low = predictor.predict(np.array([[13.0, 18.0]]), np.array([1]))
    assert masks.shape == (3, 36, 48) and masks.dtype == bool
    assert scores.shape == (3,) and low.shape == (3, 256, 256) and np.isfinite(low).all()


def test_levels_come_from_the_remembered_embedding(predictor: SamPredictor) -> None:
    model = predictor.model
    made = model.image_encoder.cache.made
    options = sam_levels.Options(
        model="vit_b", points_per_side=2, points_per_batch=3, pred_iou_thresh=0.0,
        stability_score_thresh=0.0, stability_score_offset=1.0, box_nms_thresh=1.0, crop_n_layers=0,
        min_mask_region_area=0,
    )  # fmt: skip
    found = sam_levels.segment(two_blocks(), options, model, None)
    assert list(found) == list(sam_levels.LAYERS)
    for masks in found.values():
        assert masks.masks.shape[1:] == (36, 48) and masks.scores.dtype == np.float32
    assert model.image_encoder.cache.made == made + 1 == 2 and model.image_encoder.cache.served == 1


@pytest.mark.parametrize("kind", ["vit_l", "empty", "garbage", "truncated", "list", "code"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:'torch.load' received a zip")
def test_other_files_are_no_sam(kind: str, sam_file: Path, folder: Path) -> None:
    path, architecture = folder / "broken.pth", "vit_b"
    if kind == "vit_l":
        path, architecture = sam_file, "vit_l"
    elif kind == "list":
        torch.save([1], path)
    elif kind == "code":
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    else:
        whole = first_megabyte(sam_file)
        path.write_bytes({"empty": b"", "garbage": b"garbage", "truncated": whole}[kind])
    with one_line_error(str(path), f"not weights of {architecture}", "fetch the file anew"):
        sam.open_model(find_weights(sam_spec(architecture, path)), "cpu")
