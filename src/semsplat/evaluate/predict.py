"""Render the views of a run to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.geometry.trained import open_geometry, render_frame
from semsplat.io import atomic_dir, sha256_file
from semsplat.log import progress


def predict_views(scene_dir: Path, model_dir: Path, out_dir: Path, device: str) -> None:
    """Write ``{frame}.png`` (8-bit RGB) and ``{frame}.npz`` (expected depth) per held-out view.

    ``depth`` [H, W] float16 is z in scene units, 0 where nothing is drawn.  The folder's
    ``manifest.json`` names the model it came from.
    """
    scene, trained = load_scene(scene_dir), open_geometry(model_dir, device)
    with atomic_dir(out_dir) as partial:
        for frame in progress(scene.test, "render", total=len(scene.test)):
            image, depth = render_frame(trained, frame)
            write_view(partial, frame.name, image, depth)
        write_manifest(partial, model_facts(model_dir, device))


def write_view(
    folder: Path, name: str, image: NDArray[np.uint8], depth: NDArray[np.float16]
) -> None:
    """Write the colours and the depth of one view."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    write_png(target.with_name(f"{target.name}.png"), image)
    np.savez_compressed(target.with_name(f"{target.name}.npz"), depth=depth)


def model_facts(model_dir: Path, device: str) -> dict[str, str]:
    """Return what a manifest of predictions says about the model."""
    return {"model": sha256_file(model_dir / "point_cloud.ply"), "device": device}
