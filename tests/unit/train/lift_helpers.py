"""Two Gaussians in front of a camera of two pixels, whose weights are known by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import Parameter, ParameterDict

from semsplat.data.scene import Frame
from semsplat.features.store import SceneFeatures
from semsplat.fit.inputs import Inputs
from semsplat.fit.views import camera_of
from semsplat.params.methods import TrainingJob
from semsplat.train.methods import Stage
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.wired import features_of, frame, masks

NEAR = [0.5, 0.5 * math.exp(-1 / 0.6)]
"""Of the small Gaussian in the first pixel's centre: its share of the pixel's variance of 0.3 px
leaves exp(-d^2 / 0.6) of its opacity at a distance d of one pixel."""
FAR = [0.8 * (1 - near) for near in NEAR]
"""Of the wide one behind it."""
X, Y = [1.0, 0.0], [0.0, 1.0]


def two_gaussians() -> ParameterDict:
    """Return a Gaussian in the middle of the first pixel, and a wide one behind it."""
    tensors = {
        "means": torch.tensor([[0.0, 0, 1], [0.0, 0, 2]]),
        "quats": torch.tensor([[1.0, 0, 0, 0]] * 2),
        "scales": torch.tensor([[1e-4] * 3, [1e4] * 3]).log(),
        "opacities": torch.tensor([0.5, 0.8]).logit(),
    }
    return ParameterDict({key: Parameter(v, requires_grad=False) for key, v in tensors.items()})


def two_pixels(place: int) -> Frame:
    """Return a view of two pixels from the origin."""
    K = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return replace(frame(place), viewmat=np.eye(4), K=K, height=1)


def two_layers(folder: Path) -> SceneFeatures:
    """Return two views: the first says x then y on its first layer, and little on its second."""
    first = masks([[0, 1]], [[-1, 2]], vectors=[X, Y, X])
    second = masks([[0, 0]], [[-1, -1]], vectors=[Y])
    return features_of(folder, ["fine", "coarse"], first, second)


def stage_of_two(features: SceneFeatures, n_views: int = 2) -> Stage:
    """Return a stage of two Gaussians and views of two pixels."""
    frames = tuple(two_pixels(place) for place in range(n_views))
    return Stage(frames, None, features, two_gaussians(), nn.Identity(), Inputs("cpu"), 0)


def cameras(stage: Stage) -> list[Any]:
    """Return the stage's cameras."""
    return [camera_of(one, 1.0, stage.inputs) for one in stage.frames]


def solved(lift: Any, stage: Stage, from_pass: int = 0) -> Any:
    """Take all passes of a lift that are left, and return it."""
    for _ in range(from_pass, lift.passes):
        for seen in cameras(stage):
            lift.add(seen)
        lift.close()
    return lift


def assert_a_state_continues(make: Callable[[], Any], stage: Stage) -> None:
    """Stop a lift of three passes between the views of its second, and go on from its state."""
    first, second = cameras(stage)
    whole, begun, rest = make(), make(), make()
    solved(whole, stage)
    for seen in (first, second):
        begun.add(seen)
    begun.close()
    begun.add(first)
    rest.load_state_dict(begun.state_dict())
    rest.add(second)
    rest.close()
    assert torch.equal(solved(rest, stage, 2).held(), whole.held())


def lifted_config(method: str, **options: Any) -> str:
    """Return a lifting's parameters."""
    values = {
        "dataset": "made", "scene": "plane", "setting": method, "seed": 0, "run_seed": 11,
        "steps_scaler": 1.0, "rates_scaler": 1.0, "method": method, "geometry": GEOMETRY,
        "options": PARAMS["methods"][method] | options, "log_every": 1, "teacher": None,
    }  # fmt: skip
    return TrainingJob(**values).model_dump_json()


def lifted(places: Places, out: Path, config: str, save_every_s: float = 1e9) -> Path:
    """Lift and return the folder."""
    train(places, out, out.with_name(f"{out.name}_scratch"), config, save_every_s, "cpu")
    return out
