"""The RGB objective: 3DGS with its initialisation, optimisers and schedules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter, ParameterDict

from semsplat.data.poses import camera_centre
from semsplat.data.scene import Frame, Scene, load_points, scene_extent
from semsplat.errors import SemsplatError
from semsplat.fit.density import DensityControl
from semsplat.fit.loop import Number, Objective, Outcome
from semsplat.fit.losses import psnr, reconstruction_terms
from semsplat.fit.schedules import image_scale, log_linear, sh_degree
from semsplat.fit.trainee import Trainee, adam_per_tensor
from semsplat.fit.views import View
from semsplat.params.geometry import Geometry
from semsplat.splat.gaussians import gaussians_from_points, random_points, splat

BACKGROUNDS = {"black": 0.0, "white": 1.0}


def start_gaussians(scene: Scene, config: Geometry, generator: torch.Generator) -> ParameterDict:
    """Return the Gaussians at step 0, from the scene's points or at random (3DGS, section 5)."""
    extent = scene_extent(scene)
    if config.init.source == "points":
        xyz, rgb = load_points(scene)
    else:
        centre = np.mean([camera_centre(frame.viewmat) for frame in scene.train], axis=0)
        half_side = config.init.random_extent * extent
        xyz, rgb = random_points(config.init.n_random, centre, half_side, generator)
    _check_seen(scene, xyz)
    return gaussians_from_points(xyz, rgb, config.init.opacity, extent, generator)


def _check_seen(scene: Scene, xyz: NDArray[Any]) -> None:
    """Name training views that see no point of the start; raise where none sees any."""
    unseen = [frame.name for frame in scene.train if not _sees(frame, xyz)]
    if len(unseen) == len(scene.train):
        raise SemsplatError(
            f"{scene.scene_dir}: no training view sees any of the initial points; the poses may be"
            " inverted, of other axes, or of another model"
        )
    if unseen:
        names = shorten(", ".join(unseen), 200, placeholder=" ...")
        print(f"warning: {len(unseen)} views see no initial point: {names}", file=sys.stderr)


def _sees(frame: Frame, xyz: NDArray[Any]) -> bool:
    """Tell whether any of the points [N, 3] lies before a camera and within its picture."""
    camera = xyz @ frame.viewmat[:3, :3].T + frame.viewmat[:3, 3]
    before = camera[camera[:, 2] > 0]
    pixels = (before @ frame.K.T)[:, :2] / before[:, 2:]
    return bool(((pixels >= 0) & (pixels <= (frame.width, frame.height))).all(axis=1).any())


def start_training(
    scene: Scene, config: Geometry, generator: torch.Generator, device: str
) -> Trainee:
    """Return Gaussians with optimisers, learning-rate schedule and density control.

    ``config`` holds iteration counts already scaled to this suite.
    """
    extent = scene_extent(scene)
    if extent == 0:
        where = scene.scene_dir / "transforms.json"
        raise SemsplatError(f"{where}: all training cameras stand in one place; add other views")
    start = start_gaussians(scene, config, generator)
    gaussians = ParameterDict({k: Parameter(v.detach().to(device)) for k, v in start.items()})
    rates = config.lr.model_dump(exclude={"means_final"})
    means_rate = partial(
        log_linear,
        steps=config.steps,
        start=config.lr.means * extent,
        end=config.lr.means_final * extent,
    )
    return Trainee(
        gaussians,
        adam_per_tensor(gaussians, rates, config.adam_eps),
        DensityControl(config.densify, config.progressive, extent, scene.train[0].height, device),
        {"means": means_rate},
    )


def colour_terms(
    image: Tensor, view: View, step: int, config: Geometry
) -> tuple[dict[str, Tensor], dict[str, Number]]:
    """Return the reconstruction terms of rendered colours [H, W, 3], and what to log."""
    numbers: dict[str, Number] = {
        "psnr": partial(psnr, image.detach(), view.image),
        "sh_degree": sh_degree(step, config.sh_every, config.sh_degree),
        "image_scale": image_scale(step, config.progressive),
    }
    return reconstruction_terms(image, view.image, config.ssim_lambda), numbers


ColourTerms = Callable[[Tensor, View, int, Geometry], tuple[dict[str, Tensor], dict[str, Number]]]
"""`colour_terms`, or what does more besides."""


def rgb_objective(
    gaussians: ParameterDict, config: Geometry, colours: ColourTerms = colour_terms
) -> Objective:
    """Return the objective: (1 - lambda) L1 + lambda (1 - SSIM) on one view (3DGS, Eq. 7)."""

    def objective(step: int, view: View) -> Outcome:
        image, info = render_view(gaussians, view, step, config)
        terms, numbers = colours(image, view, step, config)
        return terms, info, numbers

    return objective


def render_view(
    gaussians: ParameterDict,
    view: View,
    step: int,
    config: Geometry,
    signals: Tensor | None = None,
    signals_move_geometry: bool = True,
) -> tuple[Tensor, dict]:
    """Return a view with the harmonics of this step, [H, W, 3 + E], and the rasteriser's meta.

    Args:
        gaussians: what is trained.
        view: the camera and its image size.
        step: decides the degree of the harmonics.
        config: the schedule and the background.
        signals: [N, E], blended in the same pass over a background of zeros.
        signals_move_geometry: whether their gradient reaches positions, shapes and opacities.
    """
    background = None  # black is what nothing else adds up to
    if colour := BACKGROUNDS[config.background]:
        background = view.image.new_zeros(1, 3 + (0 if signals is None else signals.shape[1]))
        background[:, :3] = colour
    image, _, info = splat(
        gaussians,
        *view.alone,
        sh_degree(step, config.sh_every, config.sh_degree),
        backgrounds=background,
        extra_signals=signals,
        geometry_channels=None if signals_move_geometry else 3,
    )
    return image[0], info
