"""A small SAM to be trained: its initialisation, and its mask decoder over a batch of images.

With PyTorch's defaults a click attends to its own cell with under 1 % of the mass, and training
never finds out that the click matters.  Here queries and keys start aligned, so the shared
positional encoding alone makes a prompt attend to its own place; values start as the identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.transformer import Attention
from torch import Tensor, nn

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
    for layer in decoder.transformer.layers:
        _align(layer.cross_attn_token_to_image)
        _align(layer.cross_attn_image_to_token)
    _align(decoder.transformer.final_attn_token_to_image)
    for layer in decoder.transformer.layers:
        _pass_through(layer.self_attn)
        _pass_through(layer.cross_attn_token_to_image)
    _pass_through(decoder.transformer.final_attn_token_to_image)
    decoder.output_upscaling[3].weight.mul_(UPSCALE_GAIN)
    for network in decoder.output_hypernetworks_mlps:
        for linear in network.layers:
            linear.weight.mul_(HYPER_GAIN)


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


@dataclass(frozen=True)
class Prompts:
    """One prompt of one kind for each of B x P masks, image by image.

    ``points`` float32 [B * P, n, 2] pixels (x, y) of the encoder's input; ``point_labels`` float32
    [B * P, n], 1 inside, 0 outside; ``boxes`` float32 [B * P, 4]; ``masks`` float32 logits
    [B * P, 1, 4g, 4g].
    """

    points: Tensor | None = None
    point_labels: Tensor | None = None
    boxes: Tensor | None = None
    masks: Tensor | None = None


def decode(sam: Sam, embeddings: Tensor, prompts: Prompts) -> tuple[Tensor, Tensor]:
    """Return mask logits [B * P, 4, 4g, 4g] and predicted IoUs [B * P, 4].

    The package decodes one image at a time.

    ``embeddings`` [B, C, g, g] are the image encoder's.  Output 0 is the single mask, 1 to 3 are
    the multimask outputs.
    """
    points = None if prompts.points is None else (prompts.points, prompts.point_labels)
    sparse, dense = sam.prompt_encoder(points=points, boxes=prompts.boxes, masks=prompts.masks)
    decoder, count = sam.mask_decoder, len(sparse)
    fixed = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([fixed.expand(count, -1, -1), sparse], dim=1)
    source = embeddings.repeat_interleave(count // len(embeddings), dim=0) + dense
    positions = sam.prompt_encoder.get_dense_pe().expand(count, -1, -1, -1)
    out, image = decoder.transformer(source, positions, tokens)
    upscaled = decoder.output_upscaling(image.transpose(1, 2).reshape(source.shape))
    networks = decoder.output_hypernetworks_mlps
    weights = torch.stack([net(out[:, 1 + k]) for k, net in enumerate(networks)], dim=1)
    logits = torch.einsum("nkc,nchw->nkhw", weights, upscaled)
    return logits, decoder.iou_prediction_head(out[:, 0])
