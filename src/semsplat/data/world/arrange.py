"""Put enlarged items on a table: their footprints at size 1, and how each is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from semsplat.data.world import furniture, items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.placement import Footprint, Placer
from semsplat.data.world.primitives import Floats


@dataclass(frozen=True)
class Item:
    """A thing for a table: half sizes of its footprint in metres at size 1, and its builder."""

    half_x: float
    half_y: float
    build: Callable[[WorldBuilder, Floats, float], None]


def _mug(build: WorldBuilder, pose: Floats, size: float) -> None:
    """Build a mug moved so that body and handle share the footprint evenly."""
    items.mug(build, pose @ pose_at(-0.04 * size, 0.0, 0.0), 0.105 * size)


def _book(build: WorldBuilder, pose: Floats, size: float) -> None:
    items.book(build, pose, 0.13 * size)


def _ball(build: WorldBuilder, pose: Floats, size: float) -> None:
    items.ball(build, pose, 0.115 * size)


def _lamp(build: WorldBuilder, pose: Floats, size: float) -> None:
    furniture.lamp(build, pose, 0.42 * size, 0.135 * size)


def _plant(build: WorldBuilder, pose: Floats, size: float) -> None:
    items.plant(build, pose, 0.36 * size)


def _box(build: WorldBuilder, pose: Floats, size: float) -> None:
    items.box(build, pose, 0.14 * size, 0.105 * size, 0.17 * size)


def _cushion(build: WorldBuilder, pose: Floats, size: float) -> None:
    items.cushion(build, pose, 0.125 * size)


def _picture(build: WorldBuilder, pose: Floats, size: float) -> None:
    """Build a picture leaning slightly backwards, its lower edge on the table."""
    height = 0.125 * size
    lean = pose @ pose_at(0.0, 0.0, height, tilt=-0.15)
    furniture.picture(build, lean, 0.16 * size, height, two_sided=True)


ITEMS = {
    "mug": Item(0.165, 0.11, _mug),
    "book": Item(0.135, 0.18, _book),
    "ball": Item(0.12, 0.12, _ball),
    "lamp": Item(0.14, 0.14, _lamp),
    "plant": Item(0.15, 0.15, _plant),
    "box": Item(0.15, 0.115, _box),
    "cushion": Item(0.15, 0.15, _cushion),
    "picture": Item(0.165, 0.06, _picture),
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
            item.build(build, base @ on(spot), unit)
            left -= 1
