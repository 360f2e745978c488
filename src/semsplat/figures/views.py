"""Held-out views of one run: photograph, render, absolute error, expected depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.arrays import read_arrays
from semsplat.data.images import read_rgb
from semsplat.data.scene import Frame, load_scene
from semsplat.figures import PictureSheet
from semsplat.figures.pictures import evenly, sheet, show_photograph
from semsplat.figures.style import run_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count, Fraction

SCOPE = "run"
EXTENSION = "png"
NEEDS = (
    "data/{dataset}/{scene}/manifest.json",
    "results/geometry/{dataset}/{scene}/{seed}/run.json",
    "results/evaluate/{dataset}/{scene}/geometry/{seed}/predictions/manifest.json",
    "results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json",
)
TITLES = ("photograph", "render", "error", "depth")


class Options(PictureSheet):
    """How the strip looks."""

    n_views: Count
    """rows, spread evenly over the held-out views"""
    error_max: Fraction
    """absolute error that is drawn brightest"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's strip."""
    (run,) = runs
    frames = evenly(load_scene(run.scene_dir).test, options.n_views)
    with sheet(out, run_keys(runs), options, frames, TITLES) as (_, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, options)


def _draw_row(row: Any, run: GeometryKey, frame: Frame, options: Options) -> None:
    """Draw one held-out view."""
    folder, name = run.evaluate_dir / "predictions", frame.name
    truth = show_photograph(row[0], frame)
    image = read_rgb(folder / f"{name}.png", truth.shape[1::-1])
    depth = read_arrays(folder / f"{name}.npz")["depth"].astype(np.float32)
    error = np.abs(image.astype(np.float32) - truth).mean(-1) / 255
    scores = read_json(run.evaluate_dir / "scores.json")["views"][name]
    row[1].imshow(image)
    row[1].set_xlabel(f"PSNR {scores['psnr']:.2f} dB, SSIM {scores['ssim']:.3f}")
    row[2].imshow(error, cmap="magma", vmin=0, vmax=options.error_max)
    row[2].set_xlabel(f"mean {error.mean():.4f}, white = {options.error_max:g}")
    seen = depth[depth > 0]
    low, high = np.percentile(seen, [1, 99]) if seen.size else (0.0, 1.0)
    row[3].imshow(np.where(depth > 0, depth, np.nan), cmap="viridis_r", vmin=low, vmax=high)
    row[3].set_xlabel(f"{low:.2f} to {high:.2f} units")
