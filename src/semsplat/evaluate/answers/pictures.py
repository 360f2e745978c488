"""Colours and depth of held-out views, of a training whose method draws them without Gaussians."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.images import write_png
from semsplat.evaluate.answers import Asked
from semsplat.evaluate.answers.colours import (
    CASES,
    PREDICTS_FROM,
    SCORES_WITH,
    score,
    score_options,
)
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.paths import FIELD_FILE

__all__ = ["CASES", "PREDICTS_FROM", "SCORES_WITH", "predict", "score", "score_options"]


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what the answer ``colours`` writes: {frame}.png and {frame}.npz per held-out view."""
    from semsplat.train.model import open_field

    field = open_field(asked.model_dir, asked.device)
    for frame in progress(asked.scene.test, "render"):
        image, depth = field.picture(frame)
        write_png(folder / f"{frame.name}.png", image)
        np.savez_compressed(folder / f"{frame.name}.npz", depth=depth)
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}
