"""The tiny plane with sub-parts, parts and wholes, and finished Gaussians on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.geometry.rgb import start_gaussians
from semsplat.params.methods import TrainingJob
from semsplat.splat.ply import write_ply
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS

SEED = 11
DIMENSIONS = 8
LAYERS = ["subpart", "part", "whole"]
LEFT, RIGHT = np.eye(DIMENSIONS)[0], np.eye(DIMENSIONS)[1]


def world_x(frame: Frame) -> np.ndarray:
    """Return the plane's x [H, W] that a frame's pixels show."""
    u = np.arange(frame.width) + 0.5
    x = (u - frame.K[0, 2]) / frame.K[0, 0] * 3 - frame.viewmat[0, 3]
    return np.broadcast_to(x, (frame.height, frame.width))


def level_view(frame: Frame, rng: np.random.Generator) -> ViewFeatures:
    """Return parts that agree in all views, and sub-parts and a whole that mean nothing in any."""
    right = (world_x(frame) > 0).astype(np.int16)
    stripes = (np.arange(frame.width) * 4 // frame.width).astype(np.int16)
    ids = np.stack([np.broadcast_to(stripes, right.shape), 4 + right, np.full_like(right, 6)])
    noise = rng.normal(size=(5, DIMENSIONS))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    table = np.concatenate([noise[:4], [LEFT, RIGHT], noise[4:]]).astype(np.float16)
    return ViewFeatures(ids, np.ones(7, np.float16), table, None)


def write_levels(folder: Path, scene: Scene, **views: ViewFeatures) -> SceneFeatures:
    """Write features of three levels; ``views`` replaces some by name."""
    rng = np.random.default_rng(5)
    for frame in scene.frames:
        view = views.get(frame.name, level_view(frame, rng))
        write_view(folder / "views" / f"{frame.name}.npz", view)
    anything = ((LEFT + RIGHT)[None] / np.sqrt(2)).astype(np.float32)
    write_arrays(folder / "text.npz", {"canonical": anything})
    write_manifest(folder, {"layers": LAYERS})
    return open_features(folder)


def write_geometry(folder: Path, scene: Scene) -> Path:
    """Write the plane's points as Gaussians, as a geometry run leaves them."""
    gaussians = start_gaussians(scene, GEOMETRY, torch.Generator().manual_seed(0))
    with torch.no_grad():
        gaussians["opacities"].fill_(2.0)
    write_ply(folder / "point_cloud.ply", dict(gaussians))
    return folder


def config(method: str = "gags", steps: int = 150, **options: Any) -> str:
    """Return a training's parameters; learning rates as a suite of few steps has them."""
    wide = 4.0  # with half of 8 as hidden width the decoder's units die
    lr = 0.02 if method == "langsplat" else {"semantics": 0.02, "decoder": 0.01}
    rates = {"lr": lr, "image_scale": 1.0, "steps": steps}
    rates |= {"decoder": {"networks": "shared", "hidden_share": wide}} if method == "gags" else {}
    rates |= {"hidden_share": wide} if method == "n2f2" else {}
    values = {
        "dataset": "made", "scene": "plane", "setting": "gags", "seed": 0, "run_seed": SEED,
        "steps_scaler": 1.0, "rates_scaler": 1.0, "method": method, "geometry": GEOMETRY,
        "options": PARAMS["methods"][method] | rates | options, "log_every": 5, "teacher": None,
    }  # fmt: skip
    return TrainingJob(**values).model_dump_json()


def trained(
    scene: Scene, features: SceneFeatures, geometry: Path, out: Path, **options: Any
) -> Path:
    """Train and return the folder."""
    places = Places(scene.scene_dir, None, features.folder, geometry)
    train(places, out, out.with_name(f"{out.name}_scratch"), config(**options), 1e9, "cpu")
    return out
