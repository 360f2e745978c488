"""Tiny pictures, tiny shapes, and a picture made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from semsplat.data.world.primitives import CLASSES
from semsplat.networks.pictures import MAX_PRIMITIVES, PictureSet, draw_pictures
from semsplat.params.networks import ClipShape, ClipTraining, Pictures, SamShape, SamTraining

CONFIG: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
SHAPE = Pictures(views_per_world=1, width_px=40, height_px=30, hfov_min_deg=58.0, hfov_max_deg=74.0)
SAM = SamShape(
    image_px=40, patch_px=8, width=16, depth=1, heads=2, mlp_ratio=2.0, window=2,
    global_blocks=[0], prompt_dim=32, decoder_mlp=32,
)  # fmt: skip
CLIP = ClipShape(
    image_px=16, patch_px=8, width=32, layers=2, head_width=16, mlp_ratio=2.0, embedding=16,
    context=16, text_width=16, text_layers=1, text_heads=2, text_mlp_ratio=2.0,
)  # fmt: skip
SAM_TRAINING = SamTraining(**CONFIG["networks"]["sam_training"]).model_copy(
    update={
        "steps_dense": 2,
        "steps_joint": 1,
        "steps_separate": 1,
        "steps_fine": 1,
        "batch_dense": 2,
        "batch_joint": 2,
        "prompts": 2,
    }
)
CLIP_TRAINING = ClipTraining(**CONFIG["networks"]["clip_training"]).model_copy(
    update={"steps": 2, "steps_calm": 2, "batch": 6, "dense_batch": 2}
)


@pytest.fixture(scope="session")
def pictures() -> PictureSet:
    """Return a picture, 40 x 30 pixels, of a table top and of two rooms."""
    return draw_pictures([9_000_000, 9_000_001, 9_000_002], SHAPE)


@pytest.fixture(scope="session")
def blocks() -> PictureSet:
    """Return one picture of 14 blocks of 10 x 10 pixels in two rows, one of each class.

    Block k is instance k + 1 of class k and colour k % 13; its upper and lower half are two parts
    (10 k + 1 and 10 k + 2, named 0 and 1) and two primitives (2 k and 2 k + 1).
    """
    columns = len(CLASSES) // 2
    y, x = np.mgrid[:20, : 10 * columns]
    block = (y // 10) * columns + x // 10
    primitives = (2 * block + (y % 10) // 5).astype(np.uint8)
    tables = np.full((5, MAX_PRIMITIVES), -1, np.int16)
    for k in range(len(CLASSES)):
        for half in range(2):
            tables[:, 2 * k + half] = (10 * k + 1 + half, k + 1, k, k % 13, half)
    image = np.repeat((8 * primitives[..., None]), 3, axis=2)
    return PictureSet(image[None], primitives[None], tables[None])
