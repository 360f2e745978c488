"""Find room for things: turned rectangles on a floor or a table top that must not overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from semsplat.data.world.builder import Floats

_TRIES = 200  # random spots, before there is taken to be no room


@dataclass(frozen=True)
class Footprint:
    """A rectangle of half sizes in metres, centred at ``x, y`` and turned by ``yaw`` radians."""

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float = 0.0

    def corners(self) -> Floats:
        """Return the corners float64 [4, 2]."""
        signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        local = signs * (self.half_x, self.half_y)
        return local @ self.axes().T + (self.x, self.y)

    def axes(self) -> Floats:
        """Return the rectangle's unit axes as columns, float64 [2, 2]."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.array([[c, -s], [s, c]])


def overlap(one: Footprint, two: Footprint, gap: float = 0.0) -> bool:
    """Whether two footprints come closer than ``gap`` along every axis of both."""
    axes = np.concatenate([one.axes(), two.axes()], axis=1)
    a, b = one.corners() @ axes, two.corners() @ axes
    apart = np.maximum(a.min(axis=0) - b.max(axis=0), b.min(axis=0) - a.max(axis=0))
    return bool((apart < gap).all())


class Placer:
    """Hands out free spots inside ``|x| <= half_x, |y| <= half_y``; remembers what is taken."""

    def __init__(
        self, rng: np.random.Generator, half_x: float, half_y: float, gap: float, disc: bool = False
    ) -> None:
        """Start with everything free, keeping things ``gap`` metres apart."""
        self._rng = rng
        self._half = np.array([half_x, half_y])
        self._gap = gap
        self._disc = disc
        self.taken: list[Footprint] = []

    def inside(self, spot: Footprint) -> bool:
        """Whether a footprint lies fully inside the area (a disc of radius ``half_x`` if asked)."""
        corners = spot.corners()
        if self._disc:
            return bool((np.linalg.norm(corners, axis=1) <= self._half[0]).all())
        return bool((np.abs(corners) <= self._half).all())

    def put(self, spot: Footprint) -> bool:
        """Take a footprint if it is inside and free; return whether it was."""
        if not self.inside(spot) or any(overlap(spot, other, self._gap) for other in self.taken):
            return False
        self.taken.append(spot)
        return True

    def reserve(self, spot: Footprint) -> None:
        """Take a footprint that must be free; a layout that asks for a taken one is wrong."""
        if not self.put(spot):
            raise ValueError(f"{spot} is not free")

    def find(self, half_x: float, half_y: float) -> Footprint | None:
        """Take a random free spot for a rectangle, turned at random; None where none turns up."""
        for _ in range(_TRIES):
            x, y = self._rng.uniform(-self._half, self._half)
            yaw = self._rng.uniform(0.0, 2.0 * math.pi)
            spot = Footprint(float(x), float(y), half_x, half_y, float(yaw))
            if self.put(spot):
                return spot
        return None
