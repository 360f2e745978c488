"""The prompt points of every view of a scene, from its trained geometry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from semsplat.data.scene import Frame, Scene
from semsplat.features.prompt_points import PointOptions
from semsplat.features.prompt_points.sampling import points_per_patch, sampled_points
from semsplat.features.prompt_points.visibility import (
    DepthView,
    centre_pixels,
    centres_minimum,
    dense_minimum,
    nearest_by_centre,
)
from semsplat.features.segmenters import Prompts
from semsplat.geometry.trained import Trained, open_geometry, render_frame
from semsplat.io import sha256_text


@dataclass(frozen=True, eq=False)
class ScenePrompts:
    """Gives a view its points; what the training views see counts for all of them."""

    options: PointOptions
    seed: int
    geometry: Trained
    train: dict[str, DepthView]
    nearest: Tensor  # float32 [N], see `nearest_by_centre`

    def __call__(self, frame: Frame) -> Prompts:
        """Return a view's points and depth; the same whichever views were asked for before."""
        options, means = self.options, self.geometry.gaussians["means"]
        view = self.train.get(frame.name) or rendered(self.geometry, frame)
        tolerance = options.visible_tolerance
        if options.minimum_depth == "dense":
            least = dense_minimum(view, self.train.values(), tolerance)
        else:
            least = centres_minimum(view, means, self.nearest, tolerance)
        depth = view.depth.cpu().numpy()
        counts = points_per_patch(depth, least.cpu().numpy(), options)
        centres = centre_pixels(view, means, tolerance).cpu().numpy()
        rng = view_rng(options.sampling_seed + self.seed, frame.name)
        points = sampled_points(counts, centres, rng)
        return Prompts(points, depth.astype(np.float16))


def open_scene_prompts(
    options: PointOptions, seed: int, scene: Scene, geometry_dir: Path, device: str
) -> ScenePrompts:
    """Return the prompts of a scene, the depth of its training views rendered.

    Args:
        options: the rules.
        seed: the run's, so that another one draws other points.
        scene: all its training views count.
        geometry_dir: a geometry run's folder.
        device: where to render and to project.
    """
    geometry = open_geometry(geometry_dir, device)
    train = {frame.name: rendered(geometry, frame) for frame in scene.train}
    means = geometry.gaussians["means"]
    nearest = nearest_by_centre(means, train.values(), options.visible_tolerance)
    return ScenePrompts(options, seed, geometry, train, nearest)


def rendered(geometry: Trained, frame: Frame) -> DepthView:
    """Return a view with its expected depth, in the half precision in which it is stored."""
    depth = render_frame(geometry, frame)[1].astype(np.float32)
    depth[~np.isfinite(depth)] = 0  # beyond half precision: as good as nothing
    return DepthView(frame, torch.from_numpy(depth).to(geometry.device))


def view_rng(seed: int, name: str) -> np.random.Generator:
    """Return a view's own random numbers, so that the order of views does not matter."""
    return np.random.default_rng([seed, int(sha256_text(name)[:16], 16)])
