"""Rooms: a small one, a cluttered one, and a long one.

The small room keeps to few and large objects: at 160x120 most of them are at least 16 pixels wide
in the views that see them.  Things stand apart, and everything tall stands outside the camera's
orbit.
"""

from __future__ import annotations

import numpy as np

from semsplat.data.world import furnish
from semsplat.data.world.arrange import Placer, put_items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.primitives import HalfSizes, Orbit, World

# Worlds of one seed and two kinds share nothing; the numbers of all kinds differ.
_ROOM_STREAM, _CLUTTER_STREAM, _HALL_STREAM = 0, 7, 8
_CLUTTER = ("ball", "mug", "book", "box", "cushion")


def _empty(build: WorldBuilder, half: HalfSizes) -> Placer:
    """Build floor, walls and ceiling, and return the floor to put things on."""
    furnish.shell(build, half)
    return Placer(build.rng, half[0] - 0.04, half[1] - 0.04, 0.05)


def _small(seed: int, stream: int) -> tuple[WorldBuilder, HalfSizes, Placer, list[int]]:
    """Return an empty small room: its builder, half sizes and floor, and its walls in any order."""
    build = WorldBuilder(np.random.default_rng([seed, stream]))
    size = float(build.rng.uniform(1.85, 2.05))
    ground = _empty(build, (size, size))
    return build, (size, size), ground, [int(side) for side in build.rng.permutation(4)]


def make_room(seed: int) -> World:
    """Furnish a small room: table with items, sofa, chairs, lamp, plants, pictures, loose things.

    The camera walks near the walls and looks across the room.
    """
    build, half, ground, sides = _small(seed, _ROOM_STREAM)
    rng = build.rng
    table = furnish.table_with_items(build, ground)
    furnish.sofa_with_cushions(build, ground, half, sides[0])
    count = int(rng.integers(1, 4))
    kinds = ["lamp", *rng.permutation(["plant", "box", "plant"])[:count]]
    furnish.corners(build, ground, half, kinds)
    furnish.chairs(build, ground, table)
    furnish.loose_things(build, ground)
    furnish.pictures(build, half, sides[: int(rng.integers(2, 4))])
    orbit = Orbit((0.0, 0.0), half[0] - 0.38, 1.5, 0.08, 0.62, 0.5)
    return build.finish("room", seed, half, furnish.HEIGHT, furnish.light(rng), orbit)


def make_clutter(seed: int) -> World:
    """Furnish a small room and scatter seven to eleven things about its floor.

    Its class maps have one class for all small things, whatever they are, as real ones do.
    """
    build, half, ground, sides = _small(seed, _CLUTTER_STREAM)
    rng = build.rng
    furnish.table_with_items(build, ground)
    furnish.sofa_with_cushions(build, ground, half, sides[0])
    furnish.corners(build, ground, half, ["lamp", "plant"])
    kinds = [str(kind) for _ in range(4) for kind in rng.permutation(_CLUTTER)]
    put_items(build, kinds, int(rng.integers(7, 12)), ground, pose_at(0.0, 0.0, 0.0), 1.3)
    furnish.pictures(build, half, sides[:2])
    orbit = Orbit((0.0, 0.0), half[0] - 0.38, 1.5, 0.08, 0.5, 0.4)
    light = furnish.light(rng)
    return build.finish("clutter", seed, half, furnish.HEIGHT, light, orbit, catch_all=_CLUTTER)


def make_hall(seed: int) -> World:
    """Furnish a room twice as long as it is wide, each half with a table of its own.

    The camera walks around it and looks across its middle, so that things are seen from one metre
    and from six.
    """
    rng = np.random.default_rng([seed, _HALL_STREAM])
    build = WorldBuilder(rng)
    half = (float(rng.uniform(1.85, 2.0)), float(rng.uniform(3.7, 4.0)))
    ground = _empty(build, half)
    tables = [furnish.table_with_items(build, ground, along * half[1]) for along in (-0.46, 0.46)]
    furnish.sofa_with_cushions(build, ground, half, int(rng.permutation([1, 3])[0]))
    furnish.corners(build, ground, half, ["lamp", "plant", "box", "plant"])
    for table in tables:
        furnish.chairs(build, ground, table)
    furnish.loose_things(build, ground)
    furnish.pictures(build, half, [int(side) for side in rng.permutation(4)[:3]])
    radius = half[0] - 0.42
    orbit = Orbit((0.0, 0.0), radius, 1.5, 0.08, 0.62, 0.3, stretch=(half[1] - 0.6) / radius)
    return build.finish("hall", seed, half, furnish.HEIGHT, furnish.light(rng), orbit)
