"""The tiny SAM: batched decoding, where a fresh click looks, weights on disk."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from segment_anything import SamAutomaticMaskGenerator, SamPredictor

from semsplat.errors import SemsplatError
from semsplat.features.embedded.archive import halved, write_weights
from semsplat.features.embedded.sam import build_sam, load_sam, normalised
from semsplat.networks.tiny_sam.model import Prompts, decode, initialise
from tests.unit.networks.conftest import SAM

ATTENTION = SAM.model_copy(update={"image_px": 80, "prompt_dim": 128})


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(0)
    made = build_sam(SAM)
    initialise(made)
    return made.eval().requires_grad_(False)


def prompts_of_all_kinds():
    """Return four prompts a kind: two for each of two pictures."""
    generator = torch.Generator().manual_seed(0)
    points = 30 * torch.rand(4, 3, 2, generator=generator)
    boxes = torch.cat([points[:, 0].minimum(points[:, 1]), points[:, 0].maximum(points[:, 1])], 1)
    labels = torch.tensor([[1.0, 1.0, 0.0]]).expand(4, -1)
    masks = torch.randn(4, 1, 20, 20, generator=generator)
    return {
        "points": Prompts(points=points, point_labels=labels),
        "boxes": Prompts(boxes=boxes),
        "masks": Prompts(points=points[:, :1], point_labels=labels[:, :1], masks=masks),
    }


@pytest.mark.parametrize("kind", ["points", "boxes", "masks"])
@torch.no_grad()
def test_batched_decoding_is_the_packages_own_image_by_image(sam, pictures, kind):
    images = torch.from_numpy(pictures.images[:2]).permute(0, 3, 1, 2).float()
    embeddings = sam.image_encoder(normalised(sam, images))
    prompts = prompts_of_all_kinds()[kind]
    logits, scores = decode(sam, embeddings, prompts)
    assert logits.shape == (4, 4, 20, 20) and scores.shape == (4, 4)
    for image in range(2):
        own = {k: None if v is None else v[2 * image :][:2] for k, v in vars(prompts).items()}
        points = None if own["points"] is None else (own["points"], own["point_labels"])
        sparse, dense = sam.prompt_encoder(points=points, boxes=own["boxes"], masks=own["masks"])
        masks, iou = sam.mask_decoder.predict_masks(
            image_embeddings=embeddings[image : image + 1],
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
        )
        torch.testing.assert_close(logits[2 * image :][:2], masks)
        torch.testing.assert_close(scores[2 * image :][:2], iou)
        alone = decode(sam, embeddings[image : image + 1], Prompts(**own))
        torch.testing.assert_close(alone[0], masks)


@torch.no_grad()
def test_decoding_is_what_the_predictor_answers(sam, pictures):
    predictor = SamPredictor(sam)
    predictor.set_image(pictures.images[0])
    point = np.array([[12.0, 20.0]])
    images = torch.from_numpy(pictures.images[:1]).permute(0, 3, 1, 2).float()
    embeddings = sam.image_encoder(normalised(sam, images))
    clicks = torch.tensor(point, dtype=torch.float32)[None]
    logits, scores = decode(sam, embeddings, Prompts(points=clicks, point_labels=torch.ones(1, 1)))
    for multimask, outputs in ((True, slice(1, 4)), (False, slice(0, 1))):
        _, found, low = predictor.predict(point, np.array([1]), multimask_output=multimask)
        np.testing.assert_allclose(low, logits[0, outputs], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found, scores[0, outputs], rtol=1e-4, atol=1e-5)


def mass_on_own_cell(sam):
    """Return how much of a click's first attention goes to its own cell, mean over clicks."""
    seen = {}
    attention = sam.mask_decoder.transformer.layers[0].cross_attn_token_to_image
    hook = attention.register_forward_pre_hook(
        lambda _, __, given: seen.update(given), with_kwargs=True
    )
    cells = [(2, 3), (5, 5), (8, 1), (0, 9)]  # (row, column) of a grid of 10 x 10
    points = torch.tensor([[[8 * x + 3.5, 8 * y + 3.5]] for y, x in cells])
    image = torch.randint(0, 256, (1, 3, 80, 80), generator=torch.Generator().manual_seed(0))
    embeddings = sam.image_encoder(normalised(sam, image.float()))
    decode(sam, embeddings, Prompts(points=points, point_labels=torch.ones(4, 1)))
    hook.remove()
    queries, keys = attention.q_proj(seen["q"]), attention.k_proj(seen["k"])
    heads = attention.num_heads
    queries, keys = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (queries, keys))
    logits = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])
    mass = logits.softmax(-1)[:, :, 5]  # after the IoU token and four mask tokens
    return np.mean([mass[n, :, 10 * y + x].mean().item() for n, (y, x) in enumerate(cells)])


@torch.no_grad()
def test_a_fresh_click_looks_at_its_own_cell():
    torch.manual_seed(0)
    sam = build_sam(ATTENTION).eval()
    assert mass_on_own_cell(sam) < 0.05
    initialise(sam)
    assert mass_on_own_cell(sam) > 0.4


def test_weights_come_back_in_half_precision(sam, tmp_path, pictures):
    write_weights(tmp_path / "sam.safetensors", halved(sam), SAM)
    loaded = load_sam(tmp_path / "sam.safetensors")
    rounded = build_sam(SAM)
    rounded.load_state_dict({k: v.half().float() for k, v in sam.state_dict().items()})
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    for name, value in rounded.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    answers = []
    for network in (loaded, rounded.eval()):
        predictor = SamPredictor(network)
        predictor.set_image(pictures.images[0])
        answers.append(predictor.predict(np.array([[5.0, 5.0]]), np.array([1]))[2])
    np.testing.assert_array_equal(*answers)


def test_the_automatic_mode_runs(sam, pictures):
    found = SamAutomaticMaskGenerator(
        sam, points_per_side=3, pred_iou_thresh=0.0, stability_score_thresh=0.0
    ).generate(pictures.images[0])
    assert all(record["segmentation"].shape == (30, 40) for record in found)


def test_no_weights_are_one_line(tmp_path):
    with pytest.raises(SemsplatError, match="no such file; install semsplat whole"):
        load_sam(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", ["empty", "garbage", "no shape", "another shape"])
def test_bad_weights_are_one_line(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    if content in ("empty", "garbage"):
        path.write_bytes(b"" if content == "empty" else b"\xff" * 200)
    else:
        metadata = {"shape": '{"image_px": 3}'} if content == "another shape" else None
        save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(SemsplatError, match="not the weights of a tiny SAM") as error:
        load_sam(path)
    assert "\n" not in str(error.value)
