"""The kinds of world: a furnished room, and table tops: from close, from near and far, crowded.

The room and the plain table top keep to few and large objects: at 160x120 most of them are at least
16 pixels wide in the views that see them.  Things stand apart, and everything tall stands outside
the camera's orbit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from semsplat.data.world import furniture, items
from semsplat.data.world.arrange import Footprint, Placer, on, put_items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.primitives import Light, Orbit, World
from semsplat.errors import SemsplatError, did_you_mean

# Worlds of one seed and two kinds share nothing.
_ROOM_STREAM, _TABLETOP_STREAM, _NEAR_AND_FAR_STREAM, _CROWD_STREAM = 0, 3, 4, 5
_HEIGHT = 2.6
_QUARTER = 0.5 * math.pi
# Only the table of a room carries mugs and books, so one of them always comes first.
_TABLE_ONLY = ("mug", "book")
_ROOM_ITEMS = ("ball", "lamp", "plant", "box", "mug", "book")
_TABLETOP_ITEMS = ("mug", "book", "ball", "lamp", "plant", "box", "cushion", "picture")


def _light(rng: np.random.Generator) -> Light:
    """Return a ceiling light fully inside the room, near its middle, white to warm."""
    x, y = rng.uniform(-0.5, 0.5, 2)
    warm, angle = rng.uniform(0.0, 1.0), rng.uniform(0.0, 2.0 * math.pi)
    color = (1.5, 1.5 * (0.97 - 0.07 * warm), 1.5 * (0.93 - 0.16 * warm))
    fill = (0.8 * math.cos(angle), 0.8 * math.sin(angle), 0.6, 0.16)
    return Light((float(x), float(y), _HEIGHT - 0.06), 0.24, color, 0.42, fill)


def _at_wall(side: int, along: float, away: float, size: tuple[float, float]) -> Footprint:
    """Return a footprint of half sizes ``size`` with its back to wall ``side``.

    Its centre is ``away`` metres from the room's middle and ``along`` to the wall's right.
    """
    yaw = side * _QUARTER
    c, s = math.cos(yaw), math.sin(yaw)
    return Footprint(c * along - s * away, s * along + c * away, *size, yaw)


def _sofa_with_cushions(build: WorldBuilder, ground: Placer, half: float, side: int) -> None:
    """Build a sofa in the middle of a wall with one or two cushions leaning on its back."""
    half_x, half_y = build.rng.uniform(0.7, 0.8), 0.4
    spot = _at_wall(side, 0.0, half - half_y - 0.06, (half_x, half_y))
    ground.reserve(spot)
    pose = on(spot)
    furniture.sofa(build, pose, half_x, half_y)
    for place in build.rng.permutation([-1.0, 1.0])[: int(build.rng.integers(1, 3))]:
        lean = pose_at(place * 0.5 * (half_x - 0.16), 0.12, 0.58, 0.0, tilt=1.25)
        items.cushion(build, pose @ lean, 0.19)


def _pictures(build: WorldBuilder, half: float, sides: list[int]) -> None:
    """Hang a large picture in the middle of each of the given walls."""
    for side in sides:
        half_x, half_z = build.rng.uniform(0.34, 0.46), build.rng.uniform(0.26, 0.3)
        spot = _at_wall(side, build.rng.uniform(-0.3, 0.3), half, (half_x, 0.0))
        furniture.picture(build, on(spot, 1.24), half_x, half_z)


def _corners(build: WorldBuilder, ground: Placer, half: float, kinds: list[str]) -> None:
    """Put a floor lamp, a plant or a box, as ``kinds`` says, into corners that are free."""
    corners = build.rng.permutation([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    for kind, (sx, sy) in zip(kinds, corners, strict=False):
        inset = 0.42 if kind == "plant" else 0.34
        spot = Footprint(sx * (half - inset), sy * (half - inset), 0.27, 0.27)
        if not ground.put(spot):
            continue
        if kind == "lamp":
            furniture.lamp(build, on(spot), build.rng.uniform(1.35, 1.55), 0.24)
        elif kind == "plant":
            items.plant(build, on(spot), build.rng.uniform(0.8, 0.95))
        else:
            items.box(build, on(spot), 0.25, 0.22, build.rng.uniform(0.34, 0.44))


def _central_table(build: WorldBuilder, ground: Placer) -> Footprint:
    """Build a rug, and on it a table with two or three enlarged items; return its footprint."""
    rng = build.rng
    x, y, yaw = rng.uniform(-0.15, 0.15), rng.uniform(-0.15, 0.15), rng.integers(2) * _QUARTER
    round_top = bool(rng.random() < 0.35)
    half_x = 0.54 if round_top else rng.uniform(0.54, 0.62)
    half_y = 0.54 if round_top else rng.uniform(0.4, 0.46)
    spot = Footprint(x, y, half_x, half_y, yaw + rng.uniform(-0.15, 0.15))
    rug_half = (1.0, 1.0) if round_top else (half_x + 0.5, half_y + 0.42)
    furniture.rug(build, pose_at(x, y, 0.0, yaw), *rug_half)
    ground.reserve(spot)
    height = rng.uniform(0.48, 0.56)
    furniture.table(build, on(spot), half_x, half_y, height, round_top)
    top = Placer(rng, half_x - 0.01, half_y - 0.01, 0.03, disc=round_top)
    first = _TABLE_ONLY[int(rng.integers(2))]
    others = [str(kind) for kind in rng.permutation(_ROOM_ITEMS) if kind != first]
    put_items(build, [first, *others], int(rng.integers(2, 4)), top, on(spot, height), 1.08)
    return spot


def _chairs(build: WorldBuilder, ground: Placer, table: Footprint) -> None:
    """Put one or two chairs near the table, facing it."""
    half, wanted = 0.22, int(build.rng.integers(1, 3))
    for _ in range(60):
        angle = build.rng.uniform(0.0, 2.0 * math.pi)
        away = build.rng.uniform(0.72, 1.0)
        x, y = table.x + away * math.cos(angle), table.y + away * math.sin(angle)
        yaw = angle - _QUARTER + build.rng.uniform(-0.3, 0.3)
        if wanted and ground.put(Footprint(x, y, half + 0.02, half + 0.02, yaw)):
            furniture.chair(build, pose_at(x, y, 0.0, yaw), half, build.rng.uniform(0.42, 0.46))
            wanted -= 1


def _loose_things(build: WorldBuilder, ground: Placer) -> None:
    """Scatter one to three large things on the free floor."""
    kinds = build.rng.permutation(["ball", "box", "cushion"])
    for kind in kinds[: int(build.rng.integers(1, 4))]:
        spot = ground.find(0.27, 0.27)
        if spot is None:
            continue
        if kind == "ball":
            items.ball(build, on(spot), build.rng.uniform(0.18, 0.23))
        elif kind == "box":
            items.box(build, on(spot), 0.23, 0.19, build.rng.uniform(0.28, 0.36))
        else:
            items.cushion(build, on(spot), 0.21)


def make_room(seed: int) -> World:
    """Furnish a small room: table with items, sofa, chairs, lamp, plants, pictures, loose things.

    The camera walks near the walls and looks across the room.
    """
    rng = np.random.default_rng([seed, _ROOM_STREAM])
    build, half = WorldBuilder(rng), float(rng.uniform(1.85, 2.05))
    ground = Placer(rng, half - 0.04, half - 0.04, 0.05)
    furniture.floor(build, half)
    furniture.walls(build, half, _HEIGHT)
    sides = [int(s) for s in rng.permutation(4)]
    table = _central_table(build, ground)
    _sofa_with_cushions(build, ground, half, sides[0])
    count = int(rng.integers(1, 4))
    _corners(build, ground, half, ["lamp", *rng.permutation(["plant", "box", "plant"])[:count]])
    _chairs(build, ground, table)
    _loose_things(build, ground)
    _pictures(build, half, sides[: int(rng.integers(2, 4))])
    orbit = Orbit((0.0, 0.0), half - 0.38, 1.5, 0.08, 0.62, 0.5)
    return build.finish("room", seed, half, _HEIGHT, _light(rng), orbit)


@dataclass(frozen=True)
class _TableTop:
    """What distinguishes table tops."""

    stream: int
    half: tuple[float, float]  # of the room, metres
    count: tuple[int, int]  # items at least, and fewer than
    size: float  # of the items, see `put_items`
    rounds: int  # how often a kind may come
    orbit: Orbit


_TABLE_TOPS = {
    # 4 to 7 large items, seen from close all around
    "tabletop": _TableTop(
        _TABLETOP_STREAM, (1.9, 2.1), (5, 8), 0.9, 1, Orbit((0.0, 0.0), 1.12, 1.46, 0.1, 0.76, 0.0)
    ),
    # the same from one metre and from three
    "near_and_far": _TableTop(
        *(_NEAR_AND_FAR_STREAM, (3.4, 3.6), (5, 8), 0.9, 1),
        Orbit((0.0, 0.0), 2.95, 1.46, 0.1, 0.76, 0.0, nearest=0.36),
    ),
    # many small things, several of a kind
    "crowd": _TableTop(
        _CROWD_STREAM, (1.9, 2.1), (14, 19), 0.5, 3, Orbit((0.0, 0.0), 1.0, 1.4, 0.1, 0.76, 0.0)
    ),
}


def _make_table_top(kind: str, seed: int) -> World:
    """Lay out a table with items in a sparse room."""
    chosen = _TABLE_TOPS[kind]
    rng = np.random.default_rng([seed, chosen.stream])
    build, half, height = WorldBuilder(rng), float(rng.uniform(*chosen.half)), 0.7
    furniture.floor(build, half)
    furniture.walls(build, half, _HEIGHT)
    round_top = bool(rng.random() < 0.3)
    size = (0.62, 0.62) if round_top else (rng.uniform(0.62, 0.68), rng.uniform(0.46, 0.52))
    furniture.rug(build, pose_at(0.0, 0.0, 0.0), size[0] + 0.6, size[1] + 0.6)
    furniture.table(build, pose_at(0.0, 0.0, 0.0), *size, height, round_top)
    top = Placer(rng, size[0] - 0.01, size[1] - 0.01, 0.03, disc=round_top)
    kinds = [str(kind) for _ in range(chosen.rounds) for kind in rng.permutation(_TABLETOP_ITEMS)]
    count = int(rng.integers(*chosen.count))
    put_items(build, kinds, count, top, pose_at(0.0, 0.0, height), chosen.size)
    _corners(build, Placer(rng, half, half, 0.0), half, ["plant", "box", "box", "plant"])
    return build.finish(kind, seed, half, _HEIGHT, _light(rng), chosen.orbit)


KINDS: dict[str, Callable[[int], World]] = {
    "room": make_room,
    **{kind: partial(_make_table_top, kind) for kind in _TABLE_TOPS},
}


def make_world(kind: str, seed: int) -> World:
    """Return the world of a kind, one of `KINDS`, and a seed (an integer >= 0)."""
    if kind not in KINDS:
        known = list(KINDS)
        raise SemsplatError(
            f"unknown world kind '{kind}' (known: {', '.join(known)}){did_you_mean(kind, known)}"
        )
    if seed < 0:
        raise SemsplatError(f"world seed {seed} is negative; give an integer from 0 up")
    return KINDS[kind](seed)
