"""SAM's mask decoder over a batch of images: the package decodes one image at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from segment_anything.modeling import Sam
from torch import Tensor


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
