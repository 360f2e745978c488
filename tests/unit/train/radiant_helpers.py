"""Features in several sizes of crops for the tiny plane, and small radiance methods on them."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from semsplat.arrays import write_arrays
from semsplat.bench.gpu.world import CLASSES
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.fit.inputs import Inputs
from semsplat.fit.trainee import Trainee
from semsplat.params.methods import TrainingJob
from semsplat.train.methods import Attachment, Stage
from semsplat.train.run import Places, train
from tests.unit.radiance.conftest import SMALL
from tests.unit.train.conftest import GEOMETRY, PARAMS

DIM, STEPS = 8, 120
SHARES = [0.1, 0.3, 0.5]
LEFT, RIGHT = np.eye(DIM)[:2]
RADIANCE = {
    **SMALL, "rays": 512, "steps": STEPS, "coarse": 32, "fine": 16, "calm": 0.05, "cells": 32,
    "hidden": 16, "lr": {"grids": 0.05, "networks": 0.02, "last": 0.1},
}  # fmt: skip
LANGUAGE = {
    "components": 4, "cells": [8, 16], "hidden": 16, "layers": 2, "samples": 3, "weight": 0.1,
    "lr": 0.05, "last": 0.1, "decay_steps": 120,
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "lerf": {
        "radiance": RADIANCE, "language": LANGUAGE, "search": {"scales": 4, "largest": 1.5},
    },
    "threedovs": {
        "radiance": {**RADIANCE, "steps": 60}, "components": 4, "cells": 16, "samples": 3,
        "steps": 60, "colours_from": 20, "lr": {"grids": 0.05, "networks": 0.05, "last": 0.1},
    },
}  # fmt: skip
"""What small runs have otherwise than params.yaml."""


def options_of(module: ModuleType, name: str, **changes: Any) -> Any:
    """Return the options of a small run."""
    return module.Options.model_validate({**PARAMS["methods"][name], **CHANGES[name], **changes})


def write_scales(
    folder: Path, scene: Scene, dino: bool = False, pyramid: bool = True
) -> SceneFeatures:
    """Write maps [3, D, 6, 8] that are one class left of the picture's middle and one right of it.

    Those of the largest crops say nothing of either.
    """
    sides = np.stack([LEFT] * 4 + [RIGHT] * 4, 1)[:, None].repeat(6, 1)  # [D, 6, 8]
    nothing = np.zeros_like(sides)
    nothing[2] = 1
    scales = np.stack([sides, sides, nothing]).astype(np.float16)
    keys = sides[:4].astype(np.float16) if dino else None
    for frame in scene.frames:
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        ids[..., frame.width // 2 :] = 1
        regions = np.stack([LEFT, RIGHT]).astype(np.float16)
        view = ViewFeatures(ids, np.ones(2, np.float16), regions, scales=scales, dino=keys)
        write_view(folder / "views" / f"{frame.name}.npz", view)
    texts = {"classes": np.stack([LEFT, RIGHT]), "canonical": np.eye(DIM)[3:5]}
    write_arrays(folder / "text.npz", {k: v.astype(np.float32) for k, v in texts.items()})
    config = {"pyramid_maps": {"height_shares": SHARES} if pyramid else None}
    names = {"classes": [entry["name"] for entry in CLASSES], "canonical": ["object", "stuff"]}
    ids_of = [entry["id"] for entry in CLASSES]
    facts = {"layers": ["all"], "config": config, "class_ids": ids_of, "prompts": names}
    write_manifest(folder, facts)
    training = tuple(frame.name for frame in scene.train)
    return open_features(folder, training)


def started(
    module: ModuleType, options: Any, scene: Scene, features: SceneFeatures
) -> tuple[Trainee, Stage, Attachment]:
    """Return what a training starts with."""
    torch.manual_seed(0)
    attachment = module.attach(options, None, features)
    trainee = module.start(options, scene, GEOMETRY, attachment, "cpu")
    parts = trainee.gaussians, attachment.decoder, Inputs("cpu"), 7
    return trainee, Stage(scene.train, None, features, *parts), attachment


def config_of(name: str, options: Any, **changes: Any) -> str:
    """Return what a training is told."""
    values = {
        "dataset": "made", "scene": "plane", "setting": name, "seed": 0, "run_seed": 5,
        "steps_scaler": 1.0, "rates_scaler": 1.0, "method": name, "options": options.model_dump(),
        "geometry": GEOMETRY, "log_every": 5, "teacher": None,
    }  # fmt: skip
    return TrainingJob(**(values | changes)).model_dump_json()


def trained(
    scene: Scene, features: Path, out: Path, name: str, options: Any, save_s: float = 1e9
) -> Path:
    """Train and return the folder."""
    places = Places(scene.scene_dir, None, features, None)
    train(places, out, out.with_name("scratch"), config_of(name, options), save_s, "cpu")
    return out


def curve(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a training's curves."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def moved_by(term: torch.Tensor, named: dict[str, torch.Tensor]) -> set[str]:
    """Return the names of the tensors that a term alone moves."""
    weights = list(named.values())
    found = torch.autograd.grad(term, weights, allow_unused=True, retain_graph=True)
    return {k for k, grad in zip(named, found, strict=True) if grad is not None and grad.any()}
