"""Table tops: seen from close, from near and far, crowded, or with things of many colours.

The plain one keeps to few and large objects: at 160x120 most of them are at least 16 pixels wide in
the views that see them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semsplat.data.world import furnish, furniture
from semsplat.data.world.arrange import Placer, put_items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.motley import motley_beside_plain
from semsplat.data.world.primitives import Orbit, World

# Worlds of one seed and two kinds share nothing; the numbers of all kinds differ.
_TABLETOP_STREAM, _NEAR_AND_FAR_STREAM, _CROWD_STREAM, _MOTLEY_STREAM = 3, 4, 5, 6
_ITEMS = ("mug", "book", "ball", "lamp", "plant", "box", "cushion", "picture")
_FROM_CLOSE = Orbit((0.0, 0.0), 1.12, 1.46, 0.1, 0.76, 0.0)


@dataclass(frozen=True)
class _TableTop:
    """What distinguishes table tops."""

    stream: int
    half: tuple[float, float]  # of the room, metres
    count: tuple[int, int]  # items at least, and fewer than
    size: float  # of the items, see `put_items`
    rounds: int  # how often a kind may come
    orbit: Orbit
    motley: bool = False  # whether every other item's parts differ in colour, see `motley`
    bare: bool = False  # whether the room has neither a rug nor anything in its corners


TABLE_TOPS = {
    # 4 to 7 large items, seen from close all around
    "tabletop": _TableTop(_TABLETOP_STREAM, (1.9, 2.1), (5, 8), 0.9, 1, _FROM_CLOSE),
    # the same from 0.75 and from three metres, a quarter of it; what stands at the walls would
    # always be far
    "near_and_far": _TableTop(
        *(_NEAR_AND_FAR_STREAM, (3.4, 3.6), (5, 8), 0.9, 1),
        Orbit((0.0, 0.0), 2.95, 1.46, 0.1, 0.76, 0.0, nearest=0.25),
        bare=True,
    ),
    # many small things, several of a kind
    "crowd": _TableTop(
        _CROWD_STREAM, (1.9, 2.1), (14, 19), 0.5, 3, Orbit((0.0, 0.0), 1.0, 1.4, 0.1, 0.76, 0.0)
    ),
    # parts that mislead beside things of one colour
    "motley": _TableTop(_MOTLEY_STREAM, (1.9, 2.1), (6, 9), 0.8, 2, _FROM_CLOSE, motley=True),
}


def make_table_top(kind: str, seed: int) -> World:
    """Lay out a table of one of `TABLE_TOPS` with items in a sparse room."""
    chosen = TABLE_TOPS[kind]
    rng = np.random.default_rng([seed, chosen.stream])
    build, size, height = WorldBuilder(rng), float(rng.uniform(*chosen.half)), 0.7
    half = (size, size)
    furnish.shell(build, half)
    round_top = bool(rng.random() < 0.3)
    table = (0.62, 0.62) if round_top else (rng.uniform(0.62, 0.68), rng.uniform(0.46, 0.52))
    if not chosen.bare:
        furniture.rug(build, pose_at(0.0, 0.0, 0.0), table[0] + 0.6, table[1] + 0.6)
    furniture.table(build, pose_at(0.0, 0.0, 0.0), *table, height, round_top)
    top = Placer(rng, table[0] - 0.01, table[1] - 0.01, 0.03, disc=round_top)
    kinds = [str(kind) for _ in range(chosen.rounds) for kind in rng.permutation(_ITEMS)]
    count = int(rng.integers(*chosen.count))
    put_items(build, kinds, count, top, pose_at(0.0, 0.0, height), chosen.size)
    if not chosen.bare:
        furnish.corners(build, Placer(rng, size, size, 0.0), half, ["plant", "box", "box", "plant"])
    world = build.finish(kind, seed, half, furnish.HEIGHT, furnish.light(rng), chosen.orbit)
    return motley_beside_plain(world, rng) if chosen.motley else world
