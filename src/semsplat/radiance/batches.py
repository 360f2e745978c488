"""Which rays a step learns from: random pixels of all training views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from semsplat.data.scene import Frame, load_image
from semsplat.radiance.space import Rays, rays_through


def generator_at(seed: int, step: int) -> torch.Generator:
    """Return the random numbers of a step: a resumed run draws what it would have drawn."""
    (state,) = np.random.SeedSequence((seed, step)).generate_state(1)
    return torch.Generator().manual_seed(int(state))


@dataclass(frozen=True, eq=False)
class Batch:
    """Rays with what they show.

    ``views`` int64 [R], the place of each ray's view; ``places`` [R, 2], x and y of its pixel in
    (0, 1) of the view; ``fy`` [R], its view's focal length in heights; ``colours`` [R, 3] in
    [0, 1].
    """

    rays: Rays
    views: Tensor
    places: Tensor
    fy: Tensor
    colours: Tensor

    def __getitem__(self, which: slice | Tensor) -> Batch:
        """Return some of them."""
        others = (self.views, self.places, self.fy, self.colours)
        return Batch(self.rays[which], *(other[which] for other in others))


class Pixels:
    """All photographs of a scene's training views, of any sizes, in memory as bytes."""

    def __init__(self, frames: tuple[Frame, ...], device: str) -> None:
        """Read them."""
        self.device = device
        images = [torch.from_numpy(np.array(load_image(frame))).view(-1, 3) for frame in frames]
        self.values = torch.cat(images)  # uint8, row by row, view by view
        sizes = torch.tensor([[frame.width, frame.height] for frame in frames])
        self.sizes, self.ends = sizes, sizes.prod(1).cumsum(0)
        self.viewmats = torch.stack([torch.from_numpy(f.viewmat).float() for f in frames])
        self.Ks = torch.stack([torch.from_numpy(f.K).float() for f in frames])

    def drawn(self, n: int, generator: torch.Generator) -> Batch:
        """Return ``n`` random pixels, all of all views alike."""
        which = torch.randint(len(self.values), (n,), generator=generator)
        views = torch.searchsorted(self.ends, which, right=True)
        before = self.ends[views] - self.sizes[views].prod(1)
        width, height = self.sizes[views].unbind(1)
        place = which - before
        pixels = torch.stack([place % width, place // width], -1) + 0.5
        rays = rays_through(self.viewmats[views], self.Ks[views], pixels)
        found = (views, pixels / self.sizes[views], self.Ks[views, 1, 1] / height, self._of(which))
        sent = Rays(*(part.to(self.device) for part in vars(rays).values()))
        return Batch(sent, *(part.to(self.device) for part in found))

    def _of(self, which: Tensor) -> Tensor:
        return self.values[which].float() / 255
