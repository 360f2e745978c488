"""What a method attaches to Gaussians, made part of what is trained."""

from __future__ import annotations

import torch
from torch.nn import Parameter

from semsplat.fit.trainee import Decoder, Trainee, adam
from semsplat.train.methods import Attachment

SEMANTICS = "semantics"
"""The key of what a method attaches to each Gaussian, [N, dim]."""


def attach_to(
    trainee: Trainee, attachment: Attachment, eps: float, generator: torch.Generator
) -> None:
    """Give every Gaussian the attachment's numbers and the trainee its decoder, with Adam each."""
    means = trainee.gaussians["means"]
    draw = torch.randn if attachment.init == "normal" else torch.rand
    start = draw(len(means), attachment.dim, generator=generator) * attachment.init_std
    semantics = Parameter(start.to(means.device))
    trainee.gaussians[SEMANTICS] = semantics
    trainee.optimizers[SEMANTICS] = adam([semantics], attachment.rate, eps)
    module = attachment.decoder.to(means.device)
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    trainee.decoder = Decoder(
        module, adam(weights, attachment.decoder_rate, eps) if weights else None
    )
