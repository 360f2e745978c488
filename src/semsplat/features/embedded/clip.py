"""The tiny CLIP: an open_clip model of our own config, and its weights on disk.

The stock tokenizer needs the stock vocabulary of 49,408 tokens, but only the few dozen rows that
training touched are stored; the others are zero when the weights are expanded.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from torch import nn

from semsplat.features.embedded.archive import halved, read_weights, write_weights
from semsplat.io import write_json
from semsplat.params.networks import ClipShape

NAME = "semsplat-tiny"
TOKENS, TOKEN_IDS = "token_embedding.weight", "token_embedding.ids"
VOCABULARY = 49408


def model_config(shape: ClipShape) -> dict:
    """Return the shape as an open_clip model config."""
    return {
        "embed_dim": shape.embedding,
        "vision_cfg": {
            "image_size": shape.image_px,
            "patch_size": shape.patch_px,
            "width": shape.width,
            "layers": shape.layers,
            "head_width": shape.head_width,
            "mlp_ratio": shape.mlp_ratio,
        },
        "text_cfg": {
            "context_length": shape.context,
            "vocab_size": VOCABULARY,
            "width": shape.text_width,
            "heads": shape.text_heads,
            "layers": shape.text_layers,
            "mlp_ratio": shape.text_mlp_ratio,
        },
    }


def build_clip(shape: ClipShape, pretrained: Path | None = None) -> nn.Module:
    """Return the model as `open_clip.create_model` makes it, in single precision on the CPU."""
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / f"{NAME}.json", model_config(shape))
        open_clip.add_model_config(folder)
    weights = str(pretrained) if pretrained else None
    return open_clip.create_model(NAME, pretrained=weights, precision="fp32")


def save_clip(path: Path, model: nn.Module, shape: ClipShape, token_ids: list[int]) -> None:
    """Write weights in half precision: of the token table only the rows of ``token_ids``."""
    tensors = halved(model)
    tensors[TOKENS] = tensors[TOKENS][token_ids].contiguous()
    tensors[TOKEN_IDS] = torch.tensor(token_ids, dtype=torch.int32)
    write_weights(path, tensors, shape)


def load_clip(path: Path) -> tuple[nn.Module, frozenset[int]]:
    """Return the model stored at ``path``, ready to encode, and the token ids it was taught.

    Raises a one-line `SemsplatError` when the file is missing or no such model.
    """
    shape, tensors = read_weights(path, ClipShape, "tiny CLIP")
    ids = tensors.pop(TOKEN_IDS).long()
    rows = tensors[TOKENS]
    tensors[TOKENS] = torch.zeros(VOCABULARY, rows.shape[1], dtype=rows.dtype)
    tensors[TOKENS][ids] = rows
    with tempfile.TemporaryDirectory() as folder:
        expanded = Path(folder) / "weights.safetensors"
        save_file(tensors, expanded)
        model = build_clip(shape, expanded)
    return model.eval().requires_grad_(False), frozenset(ids.tolist())
