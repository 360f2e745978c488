"""Relevancy maps of the prompts that a scene's annotations name: open-vocabulary search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semsplat.arrays import write_arrays
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.features.cache import Cache
from semsplat.features.store import open_features
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.paths import FIELD_FILE, RELEVANCY
from semsplat.train.methods import method

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
    from semsplat.features.queries import Texts
    from semsplat.train.model import SemanticField

PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("relevancy",)
N_CANONICAL = 4
"""Phrases against which a relevancy is timed (GAGS, Eq. 8)."""


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write ``relevancy/{frame}.npz`` for every annotated view, held out or not.

    ``prompts``: the view's own categories, P strings; of its annotations nothing else is read.
    ``relevancy`` [P, L, H, W] float16 in (0, 1), a map per level.  ``factors`` [3, H, W] float16:
    the shares of sub-part, part and whole, where the method knows them.
    """
    from semsplat.data.annotations import load_annotations
    from semsplat.features.queries import Texts
    from semsplat.train.model import open_field

    assert asked.features_dir is not None
    field = open_field(asked.model_dir, asked.device)
    texts = Texts(open_features(asked.features_dir), asked.device, Cache(asked.cache))
    frames = [frame for frame in asked.scene.frames if frame.annotations_path]
    for frame in progress(frames, "query"):
        if prompts := list(load_annotations(frame)):
            arrays = ask(field, frame, texts, prompts)
            write_arrays(folder / RELEVANCY / f"{frame.name}.npz", arrays)
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}


def ask(
    field: SemanticField, frame: Frame, texts: Texts, prompts: list[str]
) -> dict[str, np.ndarray]:
    """Return the arrays of one view (see `predict`)."""
    import torch

    from semsplat.evaluate.relevancy import relevancy

    with torch.no_grad():
        said = method(field.facts.method).vectors(field, frame)
        maps = relevancy(said.maps, texts.encode(prompts), texts.canonical)  # [P, L, H, W]
    arrays = {"prompts": np.array(prompts), "relevancy": maps.half().cpu().numpy()}
    if said.factors is not None:
        arrays["factors"] = said.factors.movedim(-1, 0).half().cpu().numpy()
    return arrays


def time(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one prompt asked of one view, and of the two parts of that."""
    import torch
    from torch import Tensor

    from semsplat.evaluate.relevancy import relevancy
    from semsplat.evaluate.stopwatch import median_seconds

    device, kind = field.trained.device, method(field.facts.method)
    texts = torch.eye(field.facts.shape["out"], device=device)[: 1 + N_CANONICAL]

    def ask_one(frame: Frame) -> Tensor:
        return relevancy(kind.vectors(field, frame).maps, texts[:1], texts[1:])

    with torch.no_grad():
        render = median_seconds(field.blend, frames, device)
        whole = median_seconds(ask_one, frames, device)
    return {
        "query_ms": round(1000 * whole, 3),
        "render_ms": round(1000 * render, 3),
        "predict_ms": round(1000 * (whole - render), 3),
    }


def score(judged: Judged) -> Scores:
    """Return what `relevancy_scores` says of relevancy maps."""
    from semsplat.evaluate.relevancy_scores import relevancy_scores

    return relevancy_scores(judged)
