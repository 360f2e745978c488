"""Models of real architectures and no size, with random weights, as folders on disk."""

from __future__ import annotations

from pathlib import Path

import torch

from semsplat.params.hub import HubModel

SIDE = 64  # pixels of the square that the tiny SAM 2 sees


def spec_of(folder: Path, sha256: str | None = None) -> HubModel:
    return HubModel(folder=str(folder), sha256=sha256, precision="bfloat16")


def write_sam2(folder: Path) -> HubModel:
    """Write a SAM 2 whose every part is there once."""
    from transformers import (
        Sam2ImageProcessor,
        Sam2VideoConfig,
        Sam2VideoModel,
        Sam2VideoProcessor,
        Sam2VideoVideoProcessor,
    )

    grid, width = SIDE // 16, 128
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [SIDE, SIDE],
        "window_positional_embedding_background_size": [2, 2],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 2, 4, 8],
        "window_size_per_stage": [4, 2, 2, 2],
        "global_attention_blocks": [3],
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
        "fpn_hidden_size": width,
    }
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": width, "image_size": SIDE, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": width, "mlp_dim": 32, "iou_head_hidden_dim": 16, "num_attention_heads": 2
        },
        image_size=SIDE,
        memory_attention_hidden_size=width,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=[grid, grid],
        memory_encoder_hidden_size=width,
        mask_downsampler_embed_dim=width,
        memory_fuser_embed_dim=width,
        memory_fuser_intermediate_dim=32,
        memory_fuser_num_layers=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Sam2VideoModel(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    images, videos = Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size)
    Sam2VideoProcessor(images, videos).save_pretrained(folder)
    return spec_of(folder)


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "red", "blue", "ball"]


def write_grounding_dino(folder: Path) -> HubModel:
    """Write a Grounding DINO that knows `WORDS`."""
    from transformers import (
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin", "image_size": 64, "embed_dim": 8, "depths": [1] * 4,
            "num_heads": [1, 1, 2, 2], "window_size": 4, "out_indices": [2, 3, 4],
        },
        text_config={
            "model_type": "bert", "vocab_size": len(WORDS), "hidden_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        },
        num_queries=8,
        d_model=32,
        encoder_layers=1,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=16,
        decoder_attention_heads=2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        GroundingDinoForObjectDetection(config).save_pretrained(folder)
    words = BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)})
    GroundingDinoProcessor(GroundingDinoImageProcessor(), words).save_pretrained(folder)
    return spec_of(folder)


def write_dino(folder: Path) -> HubModel:
    """Write a ViT of 8 pixels a patch that was trained on 4 x 4 of them."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        image_size=32, patch_size=8,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    return spec_of(folder)
