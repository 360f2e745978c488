"""What a method attaches to Gaussians, made part of what is trained."""

from __future__ import annotations

import torch
from torch.nn import Parameter
from torch.optim import Adam

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
    values = draw(len(means), attachment.dim, generator=generator)
    start = (values - 0.5 * (attachment.init == "centred")) * attachment.init_std
    semantics = Parameter(start.to(means.device))
    trainee.gaussians[SEMANTICS] = semantics
    trainee.optimizers[SEMANTICS] = adam([semantics], attachment.rate, eps)
    module = attachment.decoder.to(means.device)
    trainee.decoder = Decoder(module, _decoder_adam(attachment, eps))


def _decoder_adam(attachment: Attachment, eps: float) -> Adam | None:
    """Return what teaches the decoder's weights, each at its rate; None where it has none."""
    named = attachment.decoder.named_parameters()
    learned = {name: weight for name, weight in named if weight.requires_grad}
    if not learned:
        return None
    own, eps = attachment.rates_of, attachment.decoder_eps or eps
    alike = [weight for name, weight in learned.items() if name not in own]
    optimizer = adam(alike, attachment.decoder_rate, eps, attachment.decoder_decay)
    for name, rate in own.items():
        optimizer.add_param_group({"params": [learned[name]], "lr": rate})
    return optimizer
