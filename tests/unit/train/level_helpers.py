"""The tiny plane with sub-parts, parts and wholes, and finished Gaussians on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.bench.gpu import world
from semsplat.data.scene import Scene
from semsplat.features.store import SceneFeatures
from semsplat.params.methods import TrainingJob
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS

SEED = 11


def write_geometry(folder: Path, scene: Scene) -> Path:
    """Write the plane's points as Gaussians, as a geometry run leaves them."""
    return world.write_geometry(folder, scene, GEOMETRY)


def config(method: str = "gags", steps: int = 150, **options: Any) -> str:
    """Return a training's parameters; learning rates as a suite of few steps has them."""
    wide = 4.0  # with half of 8 as hidden width the decoder's units die
    lr = 0.02 if method == "langsplat" else {"semantics": 0.02, "decoder": 0.01}
    rates: dict[str, Any] = {"lr": lr, "image_scale": 1.0, "steps": steps}
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
