"""The two ways to train.

Joint: a geometry run whose Gaussians hold an attachment.  Frozen: on finished geometry nothing but
the attachment and its decoder moves.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import Parameter, ParameterDict

from semsplat.data.scene import Scene
from semsplat.fit.loop import Objective, Outcome
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.geometry.rgb import colour_terms, render_view, start_training
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Joint
from semsplat.splat.gaussians import splat_values
from semsplat.splat.ply import read_ply
from semsplat.train.attached import SEMANTICS, attach_to
from semsplat.train.methods import Attachment, Shown, Terms, as_held


def start_joint(
    scene: Scene, geometry: Geometry, attachment: Attachment, run_seed: int, device: str
) -> Trainee:
    """Return a trainee whose Gaussians learn colours and semantics together.

    All but the semantics starts as in a geometry run of the same seed.
    """
    generator = torch.Generator().manual_seed(run_seed)
    trainee = start_training(scene, geometry, generator, device)
    attach_to(trainee, attachment, geometry.adam_eps, generator)
    return trainee


def joint_objective(
    trainee: Trainee, geometry: Geometry, terms: Terms, options: Joint, shown: Shown = as_held
) -> Objective:
    """Return L = L_rgb + the method's terms (CLIP-GS, Eq. 6; CGC, Eq. 5), rendered in one pass."""

    def objective(step: int, view: View) -> Outcome:
        held = trainee.gaussians[SEMANTICS]
        semantics = shown(held) if options.blends(step) else None
        image, info = render_view(
            trainee.gaussians, view, step, geometry, semantics, options.moves_geometry
        )
        if semantics is None:  # a rasteriser that always blends would give them zeros: Adam goes on
            held.grad = torch.zeros_like(held)
            colours, blended = image, None
        else:  # of a split the gradient is made once; of a slice each, in the size of the whole
            colours, blended = image.split([3, semantics.shape[1]], dim=-1)
        losses, numbers = colour_terms(colours, view, step, geometry)
        return losses | terms(step, view, blended), info, numbers

    return objective


def start_frozen(
    geometry_dir: Path, attachment: Attachment, eps: float, run_seed: int, device: str
) -> Trainee:
    """Return a trainee on the Gaussians in a geometry run's folder, which stay as they are."""
    tensors = read_ply(geometry_dir / "point_cloud.ply")
    gaussians = {k: Parameter(v.to(device), requires_grad=False) for k, v in tensors.items()}
    trainee = Trainee(ParameterDict(gaussians), {}, None, {})
    attach_to(trainee, attachment, eps, torch.Generator().manual_seed(run_seed))
    return trainee


def frozen_objective(trainee: Trainee, terms: Terms, shown: Shown = as_held) -> Objective:
    """Return the method's terms on the blended attachment, over a background of zeros."""

    def objective(step: int, view: View) -> Outcome:
        gaussians = trainee.gaussians
        blended, _, info = splat_values(gaussians, shown(gaussians[SEMANTICS]), *view.alone)
        return terms(step, view, blended[0]), info, {}

    return objective
