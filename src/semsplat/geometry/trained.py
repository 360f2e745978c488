"""A trained geometry, read back and rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.scene import Viewpoint
from semsplat.fit.inputs import Inputs
from semsplat.fit.views import camera_of
from semsplat.geometry.rgb import BACKGROUNDS
from semsplat.io import read_json
from semsplat.splat.gaussians import splat
from semsplat.splat.ply import read_ply


@dataclass(frozen=True, eq=False)
class Trained:
    """Gaussians with what it takes to render them."""

    gaussians: dict[str, Tensor]
    sh_degree: int
    background: str
    device: str


def open_geometry(folder: Path, device: str) -> Trained:
    """Return the Gaussians of a training's folder with point_cloud.ply and run.json."""
    config = read_json(folder / "run.json")["config"]["geometry"]
    gaussians = {k: v.to(device) for k, v in read_ply(folder / "point_cloud.ply").items()}
    return Trained(gaussians, config["sh_degree"], config["background"], device)


def render_frame(
    trained: Trained, frame: Viewpoint
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Return uint8 [H, W, 3] and float16 depth [H, W] of one frame's camera, as `pixels` does."""
    image, alpha = render(trained, frame)
    return pixels(image, alpha)


def pixels(image: Tensor, alpha: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Return colours and depth of what `render` drew.

    Returns:
        uint8 [H, W, 3]; float16 expected depth [H, W], z in scene units, 0 where nothing is drawn.
    """
    colors = (image[..., :3].clamp(0, 1) * 255).round().byte().cpu().numpy()
    depth = torch.where(alpha > 0, image[..., -1], 0.0)
    return colors, depth.cpu().numpy().astype(np.float16)


@torch.no_grad()
def render(
    trained: Trained, frame: Viewpoint, signals: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Draw one frame's camera with signals [N, E] blended in the same pass.

    Returns:
        [H, W, 3 + E + 1], colours, signals and expected depth; alpha [H, W].
    """
    device, extra = trained.device, 0 if signals is None else signals.shape[1]
    background = torch.zeros(1, 3 + extra, device=device)
    background[:, :3] = BACKGROUNDS[trained.background]
    camera = camera_of(frame, 1.0, Inputs(device))
    image, alpha, _ = splat(
        trained.gaussians,
        *camera.alone,
        trained.sh_degree,
        render_mode="RGB+ED",
        backgrounds=background,
        extra_signals=signals,
    )
    return image[0], alpha[0, ..., 0]
