"""The tiny CLIP's weights on disk."""

from __future__ import annotations

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from semsplat.errors import SemsplatError
from semsplat.features.embedded.clip import VOCABULARY, build_clip, load_clip, save_clip
from tests.unit.networks.conftest import CLIP

TEXTS = ["a red mug", "the leg of a chair"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return a random model, a file with its weights, and the tokens that it keeps."""
    torch.manual_seed(0)
    model = build_clip(CLIP).eval()
    tokens = open_clip.SimpleTokenizer(context_length=CLIP.context)(TEXTS)
    ids = sorted(set(tokens.flatten().tolist()))
    path = tmp_path_factory.mktemp("clip") / "clip.safetensors"
    save_clip(path, model, CLIP, ids)
    return model, path, tokens, ids


@torch.no_grad()
def test_weights_come_back_in_half_precision(stored):
    model, path, tokens, ids = stored
    loaded, known = load_clip(path)
    assert known == frozenset(ids) and not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    rounded = build_clip(CLIP).eval().requires_grad_(False)  # PyTorch's attention asks
    rounded.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded.encode_image(images), rounded.encode_image(images))
    assert torch.equal(loaded.encode_text(tokens), rounded.encode_text(tokens))


def test_rows_of_other_tokens_are_zero_and_not_stored(stored):
    _, path, _, ids = stored
    table = load_clip(path)[0].token_embedding.weight
    assert table.shape == (VOCABULARY, CLIP.text_width)
    assert set(table.abs().sum(1).nonzero()[:, 0].tolist()) == set(ids)
    assert path.stat().st_size < 100_000 < 2 * VOCABULARY * CLIP.text_width


def test_no_weights_are_one_line(tmp_path):
    with pytest.raises(SemsplatError, match="no such file; install semsplat whole"):
        load_clip(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", ["empty", "garbage", "no shape", "another shape"])
def test_bad_weights_are_one_line(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    if content in ("empty", "garbage"):
        path.write_bytes(b"" if content == "empty" else b"\xff" * 200)
    else:
        metadata = {"shape": '{"image_px": 3}'} if content == "another shape" else None
        save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(SemsplatError, match="not the weights of a tiny CLIP") as error:
        load_clip(path)
    assert "\n" not in str(error.value)
