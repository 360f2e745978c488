"""An initialisation from which a small SAM can learn where a click points.

With PyTorch's defaults a click attends to its own cell with under 1 % of the mass, and training
never finds out that the click matters.  Here queries and keys start aligned, so the shared
positional encoding alone makes a prompt attend to its own place; values start as the identity.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.transformer import Attention, TwoWayTransformer
from torch import nn

QUERY_GAIN = 2.2  # sharpness of the first attention between a prompt and the image
POSITION_GAIN = 2.0  # higher frequencies: neighbouring cells differ more
TOKEN_GAIN = 0.3  # learned tokens start small against positions
UPSCALE_GAIN = 3.0  # mask logits start with a spread that a sigmoid feels
HYPER_GAIN = 1.8


@torch.no_grad()
def initialise(sam: Sam) -> None:
    """Prepare a freshly built SAM for training."""
    nn.init.trunc_normal_(sam.image_encoder.pos_embed, std=0.02)
    prompts, decoder = sam.prompt_encoder, sam.mask_decoder
    prompts.pe_layer.positional_encoding_gaussian_matrix.mul_(POSITION_GAIN)
    for token in (
        decoder.iou_token,
        decoder.mask_tokens,
        prompts.no_mask_embed,
        prompts.not_a_point_embed,
        *prompts.point_embeddings,
    ):
        token.weight.mul_(TOKEN_GAIN)
    for attention in _cross_attentions(decoder.transformer):
        _align(attention)
    for layer in decoder.transformer.layers:
        _pass_through(layer.self_attn)
        _pass_through(layer.cross_attn_token_to_image)
    _pass_through(decoder.transformer.final_attn_token_to_image)
    decoder.output_upscaling[3].weight.mul_(UPSCALE_GAIN)
    for network in decoder.output_hypernetworks_mlps:
        for linear in network.layers:
            linear.weight.mul_(HYPER_GAIN)


def _cross_attentions(transformer: TwoWayTransformer) -> Iterator[Attention]:
    """Yield the attentions between prompts and image, in both directions."""
    for layer in transformer.layers:
        yield layer.cross_attn_token_to_image
        yield layer.cross_attn_image_to_token
    yield transformer.final_attn_token_to_image


def _align(attention: Attention) -> None:
    """Let equal inputs have equal, orthogonally mixed queries and keys."""
    nn.init.orthogonal_(attention.q_proj.weight)
    attention.q_proj.weight.mul_(QUERY_GAIN)
    attention.k_proj.weight.copy_(attention.q_proj.weight)
    nn.init.zeros_(attention.q_proj.bias)
    nn.init.zeros_(attention.k_proj.bias)


def _pass_through(attention: Attention) -> None:
    """Let values leave as they came, as far as the inner dimension allows."""
    nn.init.orthogonal_(attention.v_proj.weight)
    attention.out_proj.weight.copy_(attention.v_proj.weight.T)
    nn.init.zeros_(attention.v_proj.bias)
    nn.init.zeros_(attention.out_proj.bias)
