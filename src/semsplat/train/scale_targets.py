"""What dense maps of several sizes of crops say at single pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.features.store import SceneFeatures


class ScaleTargets:
    """The maps of all training views in memory, float16 [V, S, D, h, w], and DINO's if any."""

    def __init__(self, features: SceneFeatures, names: list[str], device: str) -> None:
        """Read them; all views have cells of one number."""
        found = [features.scales(name) for name in names]
        self.maps = torch.stack([torch.from_numpy(maps) for maps, _ in found])
        keys = [torch.from_numpy(dino) for _, dino in found if dino is not None]
        self.dino = torch.stack(keys) if len(keys) == len(found) else None
        self.device = device

    def at(self, views: Tensor, places: Tensor, sizes: Tensor) -> Tensor:
        """Return the vectors [R, D] of rays' views and places at sizes of crops, int64 [R]."""
        return self._bilinear(self.maps, (views, sizes), places)

    def all_at(self, views: Tensor, places: Tensor) -> Tensor:
        """Return the vectors [R, S, D] of all sizes of crops."""
        return self._bilinear(self.maps, (views,), places)

    def dino_at(self, views: Tensor, places: Tensor) -> Tensor:
        """Return DINO's vectors [R, C]."""
        assert self.dino is not None
        return self._bilinear(self.dino, (views,), places)

    def between(self, views: Tensor, places: Tensor, lower: Tensor, share: Tensor) -> Tensor:
        """Return vectors [R, D] between the maps ``lower`` and the next, of length 1.

        Args:
            views: int64 [R].
            places: [R, 2], x and y in (0, 1).
            lower: int64 [R], of the smaller crops.
            share: [R] in [0, 1], of the larger crops.
        """
        small, large = (self.at(views, places, lower + k) for k in (0, 1))
        return F.normalize(torch.lerp(small, large, share[:, None]), dim=-1)

    def _bilinear(self, maps: Tensor, which: tuple[Tensor, ...], places: Tensor) -> Tensor:
        """Return maps [..., h, w] between the middles of cells that fill the view."""
        host, size = [index.cpu() for index in which], maps.shape[-2:]
        at = places.cpu() * torch.tensor([size[1], size[0]]) - 0.5
        first = at.floor()
        x, y = first.long().unbind(-1)
        total: Tensor | None = None
        for dx in (0, 1):
            for dy in (0, 1):
                cell = (y + dy).clamp(0, size[0] - 1), (x + dx).clamp(0, size[1] - 1)
                near = 1 - (at - first - torch.tensor([dx, dy])).abs()
                part = _cells(maps, host, cell).float()
                part = part * near.prod(-1).view(-1, *[1] * (part.ndim - 1))
                total = part if total is None else total + part
        assert total is not None
        return total.to(self.device)


def _cells(maps: Tensor, which: list[Tensor], cell: tuple[Tensor, Tensor]) -> Tensor:
    """Return [R, ...]: of the maps that ``which`` names one cell each."""
    flat = maps.flatten(0, len(which) - 1)
    place = which[0]
    for index, length in zip(which[1:], maps.shape[1:], strict=False):
        place = place * length + index
    return flat.movedim((-2, -1), (1, 2))[place, cell[0], cell[1]]
