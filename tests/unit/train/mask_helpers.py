"""The tiny plane with masks of each view's own."""

from __future__ import annotations

from typing import Any

from semsplat.params.methods import TrainingJob
from semsplat.train.methods import cgc
from tests.unit.train.conftest import GEOMETRY, PARAMS

SEED = 11


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
