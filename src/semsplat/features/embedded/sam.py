"""The tiny SAM: segment_anything's own classes at a small size, and its weights on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import nn

from semsplat.features.embedded.archive import read_weights
from semsplat.params.networks import SamShape


def build_sam(shape: SamShape) -> Sam:
    """Return a SAM of this shape on the CPU, initialised as the package initialises it."""
    grid = shape.image_px // shape.patch_px
    encoder = ImageEncoderViT(
        img_size=shape.image_px,
        patch_size=shape.patch_px,
        embed_dim=shape.width,
        depth=shape.depth,
        num_heads=shape.heads,
        mlp_ratio=shape.mlp_ratio,
        out_chans=shape.prompt_dim,
        qkv_bias=True,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=shape.window,
        global_attn_indexes=tuple(shape.global_blocks),
    )
    prompts = PromptEncoder(
        embed_dim=shape.prompt_dim,
        image_embedding_size=(grid, grid),
        input_image_size=(shape.image_px, shape.image_px),
        mask_in_chans=8,
    )
    # One decoder head: a click has to find its own cell among all others (see `init`).
    transformer = TwoWayTransformer(
        depth=2, embedding_dim=shape.prompt_dim, mlp_dim=shape.decoder_mlp, num_heads=1
    )
    decoder = MaskDecoder(
        num_multimask_outputs=3,  # sub-part, part, whole
        transformer=transformer,
        transformer_dim=shape.prompt_dim,
        iou_head_depth=2,
        iou_head_hidden_dim=96,
    )
    return Sam(encoder, prompts, decoder)


def load_sam(path: Path) -> Sam:
    """Return the SAM stored at ``path``, in single precision, ready for prediction.

    Raises a one-line `SemsplatError` when the file is missing or no such SAM.
    """
    shape, tensors = read_weights(path, SamShape, "tiny SAM")
    sam = build_sam(shape)
    sam.load_state_dict(tensors)
    return sam.eval().requires_grad_(False)


@torch.no_grad()
def normalised(sam: Sam, images: torch.Tensor) -> torch.Tensor:
    """Return images [B, 3, H, W] in 0..255 as the encoder's padded input [B, 3, S, S].

    Raises nothing: images must fit, that is max(H, W) = S as after SAM's own resizing.
    """
    return torch.stack([sam.preprocess(image) for image in images])
