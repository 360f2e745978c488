"""Render the held-out views of a geometry run to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, load_scene
from semsplat.geometry.rgb import BACKGROUNDS
from semsplat.io import atomic_dir, read_json
from semsplat.log import progress
from semsplat.splat.gaussians import splat
from semsplat.splat.ply import read_ply


def predict_views(scene_dir: Path, model_dir: Path, out_dir: Path, device: str) -> None:
    """Write ``{frame}.png`` (8-bit RGB) and ``{frame}.npz`` (expected depth) per held-out view.

    ``depth`` [H, W] float16 is z in scene units, 0 where nothing is drawn.  The folder's
    ``manifest.json`` names the model it came from.
    """
    scene = load_scene(scene_dir)
    card = read_json(model_dir / "run.json")
    config = card["config"]["geometry"]
    gaussians = {k: v.to(device) for k, v in read_ply(model_dir / "point_cloud.ply").items()}
    with atomic_dir(out_dir) as partial:
        for frame in progress(scene.test, "render", total=len(scene.test)):
            image, depth = render_frame(
                gaussians, frame, config["sh_degree"], config["background"], device
            )
            target = partial / frame.name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_png(target.with_name(f"{target.name}.png"), image)
            np.savez_compressed(target.with_name(f"{target.name}.npz"), depth=depth)
        write_manifest(partial, {"model": card["outputs"]["point_cloud"], "device": device})


@torch.no_grad()
def render_frame(
    gaussians: dict[str, Tensor], frame: Frame, degree: int, background: str, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 [H, W, 3] and float16 expected depth [H, W] of one frame's camera."""
    image, alpha, _ = splat(
        gaussians,
        torch.tensor(frame.viewmat, dtype=torch.float32, device=device)[None],
        torch.tensor(frame.K, dtype=torch.float32, device=device)[None],
        frame.width,
        frame.height,
        degree,
        render_mode="RGB+ED",
        backgrounds=torch.full((1, 3), BACKGROUNDS[background], device=device),
    )
    colors = (image[0, ..., :3].clamp(0, 1) * 255).round().byte().cpu().numpy()
    depth = torch.where(alpha[0, ..., 0] > 0, image[0, ..., 3], 0.0)
    return colors, depth.cpu().numpy().astype(np.float16)
