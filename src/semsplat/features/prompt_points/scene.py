"""The prompt points of every view of a scene, from its trained geometry.

What views see of each other's surfaces gives the least visible depth of GAGS's Eq. 1.  Depth maps
are float32 [H, W], z in scene units, 0 where nothing is drawn.  All work is done for one view at a
time, so that memory grows with the number of views and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semsplat.data.scene import Frame, Scene
from semsplat.features.prompt_points import PointOptions
from semsplat.features.prompt_points.sampling import points_per_patch, sampled_points
from semsplat.features.segmenters import Prompts
from semsplat.geometry.trained import Trained, open_geometry, render_frame
from semsplat.io import sha256_text


class DepthView(NamedTuple):
    """A camera and the depth that it sees."""

    frame: Frame
    depth: Tensor  # float32 [H, W]


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


def dense_minimum(view: DepthView, others: Iterable[DepthView], tolerance: float) -> Tensor:
    """Return the least depth at which a view's pixels are seen: GAGS section 3.1, as written.

    Every pixel is lifted by its depth and projected into the other views; where it is visible, the
    depth rendered there counts.  The view's own depth is among them, so no ratio is below 1.

    Args:
        view: whose pixels.
        others: all views that count; the view itself may be among them.
        tolerance: see `landed`.

    Returns:
        float32 [H, W], 0 where the view's depth is 0.
    """
    pixels, points = lifted(view)
    least = view.depth.flatten()[pixels]
    for other in others:
        if other.frame.name == view.frame.name:
            continue  # on its own pixels a point lands up to rounding only
        index, target = landed(points, other, tolerance)
        least[index] = torch.minimum(least[index], other.depth.flatten()[target])
    result = torch.zeros_like(view.depth).flatten()
    result[pixels] = least
    return result.reshape(view.depth.shape)


def nearest_by_centre(means: Tensor, views: Iterable[DepthView], tolerance: float) -> Tensor:
    """Return the least depth at which each Gaussian's centre is seen (GAGS's code).

    It is the depth rendered at the centre's pixel, not the centre's own.

    Args:
        means: float32 [N, 3].
        views: all views that count.
        tolerance: see `landed`.

    Returns:
        float32 [N], infinite for centres that no view sees.
    """
    nearest = means.new_full((len(means),), torch.inf)
    for view in views:
        index, target = landed(means, view, tolerance)
        nearest[index] = torch.minimum(nearest[index], view.depth.flatten()[target])
    return nearest


def centres_minimum(view: DepthView, means: Tensor, nearest: Tensor, tolerance: float) -> Tensor:
    """Return the least depths of the centres that a view sees, where they fall (GAGS's code).

    Args:
        view: whose pixels.
        means: float32 [N, 3].
        nearest: float32 [N] of `nearest_by_centre`; the view's own depth counts too, so that a view
            that was not among those has no ratio below 1 either.
        tolerance: see `landed`.

    Returns:
        float32 [H, W], 0 where no centre falls; of several the last in the list counts.
    """
    index, target = landed(means, view, tolerance)
    depth = view.depth.flatten()
    least = torch.minimum(nearest[index], depth[target])
    # The highest place, because the order of plain writes is not defined on a GPU.
    last = torch.full(depth.shape, -1, device=depth.device)
    last.scatter_reduce_(0, target, torch.arange(len(index), device=depth.device), "amax")
    result = torch.zeros_like(depth)
    result[last >= 0] = least[last[last >= 0]]
    return result.reshape(view.depth.shape)


def centre_pixels(view: DepthView, means: Tensor, tolerance: float) -> Tensor:
    """Return on which pixels the centre of a visible Gaussian falls, bool [H, W]."""
    _, target = landed(means, view, tolerance)
    result = torch.zeros_like(view.depth, dtype=torch.bool).flatten()
    result[target] = True
    return result.reshape(view.depth.shape)


def lifted(view: DepthView) -> tuple[Tensor, Tensor]:
    """Return the pixels with depth, flat int64 [M], and their points in the world [M, 3]."""
    depth = view.depth.flatten()
    pixels = depth.nonzero().squeeze(1)
    width = view.depth.shape[1]
    centres = torch.stack([pixels % width + 0.5, pixels // width + 0.5, torch.ones_like(pixels)], 1)
    K, viewmat = (depth.new_tensor(m) for m in (view.frame.K, view.frame.viewmat))
    local = centres @ torch.linalg.inv(K).T * depth[pixels, None]
    return pixels, (local - viewmat[:3, 3]) @ viewmat[:3, :3]


def landed(points: Tensor, view: DepthView, tolerance: float) -> tuple[Tensor, Tensor]:
    """Return which points a view sees, and on which of its pixels.

    Args:
        points: float32 [N, 3] in the world.
        view: the camera and its depth.
        tolerance: how far a point's z may be from the depth of its pixel, relative to that depth.

    Returns:
        Two int64 [M]: indices of the points, ascending, and of the flat pixels.
    """
    K, viewmat = (points.new_tensor(m) for m in (view.frame.K, view.frame.viewmat))
    local = points @ viewmat[:3, :3].T + viewmat[:3, 3]
    z = local[:, 2]
    column, row = ((local @ K.T)[:, :2] / z[:, None]).floor().unbind(1)
    height, width = view.depth.shape
    inside = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = inside.nonzero().squeeze(1)
    target = row[index].long() * width + column[index].long()
    depth = view.depth.flatten()[target]
    agree = (z[index] - depth).abs() <= tolerance * depth  # never where nothing is drawn: 0
    return index[agree], target[agree]
