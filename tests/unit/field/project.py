"""A project with two balls, seen by cameras 3 m away, and what methods learned of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.data.scene_writer import SceneWriter
from semsplat.features.queries import Texts
from semsplat.features.store import ViewFeatures
from semsplat.io import sha256_file, write_json
from semsplat.paths import features_dir, scene_dir, train_dir
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import HEIGHT, WIDTH, write_features
from tests.unit.evaluate.model_helpers import (
    CLASS_IDS,
    write_asked,
    write_grouped,
    write_identified,
    write_looked_up,
    write_model,
)

NAMES = dict(zip(CLASS_IDS, ("mug", "chair", "wall"), strict=True))
LEFT, RIGHT = (4, 6), (12, 6)
"""Pixels (x, y) in the middle of the balls in views at x = 0."""
Writer = Callable[[Path], Path]


def seeded(write: Writer) -> Writer:
    """Return a writer whose untrained decoder tells the balls apart, as not every one does."""

    def written(folder: Path) -> Path:
        torch.manual_seed(4)
        return write(folder)

    return written


WRITERS: dict[str, Writer] = {
    "clip_gs": write_model,
    "gags": seeded(write_asked),
    "cgc": write_grouped,
    "gaussian_grouping": write_identified,
    "goi": lambda folder: write_looked_up(folder, (1.0, -0.5, 0.1, 0.0, 0.0)),
}


def write_project(root: Path, *methods: str) -> Path:
    """Write scene ``made/balls``, its features, and a training of each method at seed 0."""
    with SceneWriter(root / scene_dir("made", "balls"), **ORIGIN) as writer:
        for name, split in {"a": "train", "b": "train", "held_out": "test"}.items():
            writer.add_frame(name, random_image(), viewmat_at(0.0), K, split)  # type: ignore[arg-type]
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in NAMES.items()]})
    features = write_features(root / features_dir("made", "balls", "regions", "all"), regions())
    for name in methods:
        folder = WRITERS[name](root / train_dir("made", "balls", name, 0))
        config = {"geometry": {"sh_degree": 3, "background": "white"}}
        config |= {"dataset": "made", "scene": "balls", "setting": name, "seed": 0}  # type: ignore[dict-item]
        inputs = {"features": sha256_file(features / "manifest.json")}
        write_json(folder / "run.json", {"phase": "train", "config": config, "inputs": inputs})
    return root


def regions() -> dict[str, ViewFeatures]:
    """Return regions around the balls: of view ``b`` the left is a mug, as nothing else is."""
    ids = np.full((1, HEIGHT, WIDTH), -1, np.int16)
    ids[0, 4:9, 2:7], ids[0, 4:9, 10:15] = 0, 1
    vectors = {"a": [[0.6, 0.8, 0], [0.8, 0.6, 0]], "b": [[1, 0, 0], [0, 1, 0]]}
    scores = np.ones(2, np.float16)
    return {
        name: ViewFeatures(ids=ids, scores=scores, vectors=np.array(rows, np.float16))
        for name, rows in vectors.items()
    }


def teach(monkeypatch: pytest.MonkeyPatch, rows: torch.Tensor, canonical: torch.Tensor) -> None:
    """Stand for CLIP: a mug and a chair have the vectors ``rows``, anything ``canonical``."""
    known = {"mug": rows[0], "chair": rows[1]}
    monkeypatch.setattr(Texts, "encode", lambda _, asked: torch.stack([known[p] for p in asked]))
    monkeypatch.setattr(Texts, "canonical", canonical)
