"""The tiny plane with masks of each view's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.params.methods import TrainingJob
from semsplat.train.methods import cgc
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.level_helpers import LEFT, RIGHT, world_x

SEED = 11


def mask_view(frame: Frame) -> ViewFeatures:
    """Return the halves of the plane as two masks, numbered by chance, with a text's vectors."""
    right = (world_x(frame) > 0).astype(np.int16)
    swapped = sum(map(ord, frame.name)) % 2
    table = np.stack([RIGHT, LEFT] if swapped else [LEFT, RIGHT]).astype(np.float16)
    return ViewFeatures(np.abs(right - swapped)[None], np.ones(2, np.float16), table, None)


def write_masks(folder: Path, scene: Scene, **views: ViewFeatures) -> SceneFeatures:
    """Write masks of every view; ``views`` replaces some by name."""
    for frame in scene.frames:
        view = views.get(frame.name, mask_view(frame))
        write_view(folder / "views" / f"{frame.name}.npz", view)
    anything = ((LEFT + RIGHT)[None] / np.sqrt(2)).astype(np.float32)
    write_arrays(folder / "text.npz", {"canonical": anything})
    write_manifest(folder, {"layers": ["all"]})
    return open_features(folder)


def options(**changes: Any) -> cgc.Options:
    """Return the options of params.yaml for pictures of 24x18 pixels, with changes."""
    base = cgc.Options(**PARAMS["methods"]["cgc"])
    contrast = {"more_than_px": 20, "pixels_of": 1, "every": 2, **changes.pop("contrast", {})}
    spatial = {"every": 4, **changes.pop("spatial", {})}
    new: dict[str, Any] = {
        "contrast": base.contrast.model_copy(update=contrast),
        "spatial": base.spatial.model_copy(update=spatial),
    }
    return base.model_copy(update={**new, **changes})


def config(chosen: cgc.Options) -> TrainingJob:
    """Return the run of a training on masks."""
    return TrainingJob(
        dataset="procedural",
        scene="plane",
        setting="cgc",
        seed=0,
        run_seed=SEED,
        steps_scaler=1.0,
        rates_scaler=1.0,
        method="cgc",
        options=chosen.model_dump(),
        teacher=None,
        geometry=GEOMETRY,
        log_every=10,
    )
