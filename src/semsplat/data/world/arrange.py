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
