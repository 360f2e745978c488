"""A step that reconstructs: colours of rays against photographs, and how its rates fall."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from semsplat.params.methods import Radiance
from semsplat.radiance.batches import Batch
from semsplat.radiance.field import RadianceField
from semsplat.radiance.march import Samples, seen_colours
from semsplat.radiance.volume import distortion

BETAS, EPS = (0.9, 0.99), 1e-8
"""Adam's (TensoRF's code).  An epsilon as small as 3DGS's moves cells of which rays say next to
nothing as fast as all others: fog gathered before cameras, and ``procedural/room`` fell from 28 dB
on held-out views to 21 dB between steps 500 and 1,500."""


def colour_terms(
    field: RadianceField, options: Radiance, batch: Batch, samples: Samples
) -> dict[str, Tensor]:
    """Return the mean square of colours' differences (NeRF, Eq. 6), and the distortion."""
    seen = seen_colours(field, batch.rays, samples)
    return {
        "colours": (seen - batch.colours).square().mean(),
        "distortion": options.distortion * distortion(samples.weights, samples.edges),
    }


def rates_of(field: RadianceField, options: Radiance, prefix: str) -> dict[str, float]:
    """Return Adam's rate of every weight of a field by name, each behind a prefix."""
    rates = options.lr
    return {
        f"{prefix}{name}": rates.networks if name.startswith("colour.") else rates.grids
        for name, _ in field.named_parameters()
    }


def set_rates(groups: list[dict[str, Any]], share: float) -> None:
    """Set the rates of an optimiser's groups to a share of those that they began with."""
    for group in groups:
        group["lr"] = group.setdefault("first_lr", group["lr"]) * share
