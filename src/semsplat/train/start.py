"""What a training starts from: Gaussians as in the phase geometry, with what a method attaches."""

from __future__ import annotations

import torch
from torch.nn import Parameter

from semsplat.data.scene import Scene
from semsplat.fit.trainee import Decoder, Trainee, adam
from semsplat.geometry.rgb import start_training
from semsplat.params.geometry import Geometry
from semsplat.train.methods import Attachment

SEMANTICS = "semantics"
"""The key of what a method attaches to each Gaussian, [N, dim]."""


def start_joint(
    scene: Scene, geometry: Geometry, attachment: Attachment, run_seed: int, device: str
) -> Trainee:
    """Return a trainee whose Gaussians learn colours and semantics together.

    All but the semantics starts as in a geometry run of the same seed.
    """
    generator = torch.Generator().manual_seed(run_seed)
    trainee = start_training(scene, geometry, generator, device)
    shape = (len(trainee.gaussians["means"]), attachment.dim)
    start = torch.randn(shape, generator=generator) * attachment.init_std
    semantics = Parameter(start.to(device))
    trainee.gaussians[SEMANTICS] = semantics
    trainee.optimizers[SEMANTICS] = adam([semantics], attachment.rate, geometry.adam_eps)
    module = attachment.decoder.to(device)
    weights = list(module.parameters())
    optimizer = adam(weights, attachment.decoder_rate, geometry.adam_eps) if weights else None
    trainee.decoder = Decoder(module, optimizer)
    return trainee
