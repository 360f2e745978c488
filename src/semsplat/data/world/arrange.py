"""Find room for things, turned rectangles on a floor or a table top that must not overlap.

Items for a table are enlarged: their footprints at size 1, and how each is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from semsplat.data.world import furniture, items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.primitives import Floats

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


@dataclass(frozen=True)
class Item:
    """A thing for a table: half sizes of its footprint in metres at size 1, and its builder.

    ``sizes`` are what the builder takes after the pose, in metres at size 1.
    """

    half_x: float
    half_y: float
    build: Callable[..., None]
    sizes: tuple[float, ...]


def _mug(build: WorldBuilder, pose: Floats, size: float) -> None:
    """Build a mug moved so that body and handle share the footprint evenly."""
    items.mug(build, pose @ pose_at(-0.04 * size, 0.0, 0.0), 0.105 * size)


def _picture(build: WorldBuilder, pose: Floats, size: float) -> None:
    """Build a picture leaning slightly backwards, its lower edge on the table."""
    height = 0.125 * size
    lean = pose @ pose_at(0.0, 0.0, height, tilt=-0.15)
    furniture.picture(build, lean, 0.16 * size, height, two_sided=True)


ITEMS = {
    "mug": Item(0.165, 0.11, _mug, (1.0,)),
    "book": Item(0.135, 0.18, items.book, (0.13,)),
    "ball": Item(0.12, 0.12, items.ball, (0.115,)),
    "lamp": Item(0.14, 0.14, furniture.lamp, (0.42, 0.135)),
    "plant": Item(0.15, 0.15, items.plant, (0.36,)),
    "box": Item(0.15, 0.115, items.box, (0.14, 0.105, 0.17)),
    "cushion": Item(0.15, 0.15, items.cushion, (0.125,)),
    "picture": Item(0.165, 0.06, _picture, (1.0,)),
}


def on(spot: Footprint, z: float = 0.0) -> Floats:
    """Return the pose float64 [4, 4] of a thing standing on a footprint at height ``z``."""
    return pose_at(spot.x, spot.y, z, spot.yaw)


def put_items(
    build: WorldBuilder, kinds: Iterable[str], count: int, top: Placer, base: Floats, size: float
) -> None:
    """Put ``count`` items on the table top whose centre is ``base``, taking ``kinds`` in turn.

    A kind that finds no room is passed over for the next.  ``size`` scales the items; at 1 they are
    0.2 to 0.35 m wide.
    """
    left = count
    for kind in kinds:
        if left == 0:
            break
        item, unit = ITEMS[kind], size * build.rng.uniform(0.95, 1.1)
        spot = top.find(unit * item.half_x, unit * item.half_y)
        if spot is not None:
            item.build(build, base @ on(spot), *(unit * share for share in item.sizes))
            left -= 1
