"""Semantics fitted to finished geometry: nothing but the attachment and its decoder moves."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import Parameter, ParameterDict

from semsplat.fit.loop import Objective, Outcome
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.splat.gaussians import splat_values
from semsplat.splat.ply import read_ply
from semsplat.train.attached import SEMANTICS, attach_to
from semsplat.train.methods import Attachment, Terms


def start_frozen(
    geometry_dir: Path, attachment: Attachment, eps: float, run_seed: int, device: str
) -> Trainee:
    """Return a trainee on the Gaussians in a geometry run's folder, which stay as they are."""
    tensors = read_ply(geometry_dir / "point_cloud.ply")
    gaussians = {k: Parameter(v.to(device), requires_grad=False) for k, v in tensors.items()}
    trainee = Trainee(ParameterDict(gaussians), {}, None, {})
    attach_to(trainee, attachment, eps, torch.Generator().manual_seed(run_seed))
    return trainee


def frozen_objective(trainee: Trainee, terms: Terms) -> Objective:
    """Return the method's terms on the blended attachment, over a background of zeros."""

    def objective(step: int, view: View) -> Outcome:
        gaussians = trainee.gaussians
        camera = view.viewmat[None], view.K[None], view.width, view.height
        blended, _, info = splat_values(gaussians, gaussians[SEMANTICS], *camera)
        return terms(step, view, blended[0]), info, {}

    return objective
