"""Held-out views as settings render them, beside the photograph: CLIP-GS's Figs. 4 and 6."""

from __future__ import annotations

from pathlib import Path

from semsplat.data.images import read_rgb
from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.protocols.rgb_held_out import NAME
from semsplat.figures import SettingSheet
from semsplat.figures.class_maps import NEEDS as NEEDS
from semsplat.figures.pictures import add_title, evenly, sheet, show_photograph
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count

SCOPE = "run"
EXTENSION = "png"


class Options(SettingSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet; a scene that holds no view out is refused."""
    (run,) = runs
    frames = evenly(load_scene(run.scene_dir).test, options.n_views)
    if not frames:
        raise SemsplatError(f"{run.scene_dir}: no view is held out; leave the figure out")
    scores = {name: read_json(run.setting_dir(name) / "scores.json") for name in options.settings}
    titles, keys = ["photograph", *options.settings.values()], setting_keys(run, options.settings)
    with sheet(out, keys, options, frames, titles, 0.6) as (figure, axes):
        for row, frame in zip(axes, frames, strict=True):
            size = show_photograph(row[0], frame).shape[1::-1]
            for axis, (name, score) in zip(row[1:], scores.items(), strict=True):
                path = run.setting_dir(name) / "predictions" / f"{frame.name}.png"
                axis.imshow(read_rgb(path, size))
                values = score["views"][frame.name]
                axis.set_xlabel(f"PSNR {values['psnr']:.2f} dB, SSIM {values['ssim']:.3f}")
        means = [f"{options.settings[n]} {s['metrics']['psnr']:.2f}" for n, s in scores.items()]
        add_title(figure, f"PSNR of held-out views in dB: {', '.join(means)} ({NAME})")
