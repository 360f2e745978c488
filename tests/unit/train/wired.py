"""Views of 2 x 2 pixels on a row, each filled by one Gaussian, and the stage of a method's terms.

Camera i stands at x = 100 i and sees Gaussian i alone, so what a view renders is what its Gaussian
holds.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Parameter, ParameterDict

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame
from semsplat.features.lessons import Lesson, Lessons, open_lessons, write_lesson
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.fit.inputs import Inputs
from semsplat.fit.views import View
from semsplat.train.methods import Stage

APART = 100.0
K = np.array([[2.0, 0, 1], [0, 2, 1], [0, 0, 1]])
Rows = list[list[int]]


def name_of(place: int) -> str:
    return f"view_{place}"


def frame(place: int) -> Frame:
    """Return the camera at a place of the row; nobody reads its photograph."""
    viewmat = np.eye(4)
    viewmat[0, 3] = -APART * place
    none = dict.fromkeys(["depth", "labels", "instances", "parts", "annotations"])
    paths = {f"{key}_path": value for key, value in none.items()}
    return Frame(name_of(place), viewmat, K, 2, 2, Path("no.png"), **paths, depth_unit=1.0)


def view(place: int) -> View:
    """Return the view at a place of the row, black."""
    seen = frame(place)
    matrices = (torch.from_numpy(m).float() for m in (seen.viewmat, seen.K))
    return View(seen.name, *matrices, 2, 2, image=torch.zeros(2, 2, 3))


def row_of_gaussians(semantics: Tensor) -> ParameterDict:
    """Return a Gaussian in front of every camera, so wide that it fills the view."""
    n = len(semantics)
    means = torch.zeros(n, 3)
    means[:, 0], means[:, 2] = APART * torch.arange(n), 1.0
    tensors = {
        "means": means,
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1),
        "scales": torch.full((n, 3), math.log(10.0)),
        "opacities": torch.full((n,), 9.0),
        "semantics": semantics.clone(),
    }
    return ParameterDict({key: Parameter(value) for key, value in tensors.items()})


def stage_of(
    n_views: int, decoder: nn.Module, semantics: Tensor | None = None, **sources: Any
) -> Stage:
    """Return a stage of the first cameras of the row."""
    values = torch.zeros(n_views, 1) if semantics is None else semantics
    frames = tuple(frame(place) for place in range(n_views))
    given = {"lessons": None, "features": None, "run_seed": 0} | sources
    return Stage(
        frames, given["lessons"], given["features"], row_of_gaussians(values), decoder,
        Inputs("cpu"),
        given["run_seed"],
    )  # fmt: skip


def lessons_of(folder: Path, *views: tuple[Rows, Rows, Rows], n_classes: int = 3) -> Lessons:
    """Write labels, regions and tracks of views."""
    for place, maps in enumerate(views):
        arrays = (np.array(rows, np.int32) for rows in maps)
        write_lesson(folder, name_of(place), Lesson(*arrays))
    write_manifest(folder, {"classes": [{"id": i, "name": str(i)} for i in range(n_classes)]})
    return open_lessons(folder)


def features_of(folder: Path, layers: list[str], *views: ViewFeatures) -> SceneFeatures:
    """Write features of views; the texts are of two numbers."""
    for place, written in enumerate(views):
        write_view(folder / "views" / f"{name_of(place)}.npz", written)
    texts = {"canonical": np.eye(2, dtype=np.float32), "classes": np.eye(2, dtype=np.float32)}
    write_arrays(folder / "text.npz", texts)
    write_manifest(folder, {"layers": layers})
    return open_features(folder)


def masks(*layers: Rows, vectors: Any = None, dense: Any = None) -> ViewFeatures:
    """Return a view's id maps with a vector per row of ``vectors``."""
    ids = np.array(layers, np.int16)
    scores = np.ones(int(ids.max()) + 1, np.float16)
    half = (None if v is None else np.array(v, np.float16) for v in (vectors, dense))
    return ViewFeatures(ids, scores, *half)
