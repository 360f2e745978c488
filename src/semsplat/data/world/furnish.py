"""Furnish a room: what stands at its walls, in its corners, in its middle and about its floor.

Every function draws from the builder's generator.  Half sizes of a room are a pair, along x and
along y, in metres.
"""

from __future__ import annotations

import math

import numpy as np

from semsplat.data.world import furniture, items
from semsplat.data.world.arrange import Footprint, Placer, on, put_items
from semsplat.data.world.builder import WorldBuilder, pose_at
from semsplat.data.world.primitives import HalfSizes, Light

HEIGHT = 2.6
_QUARTER = 0.5 * math.pi
# Only the table of a room carries mugs and books, so one of them always comes first.
_TABLE_ONLY = ("mug", "book")
_ROOM_ITEMS = ("ball", "lamp", "plant", "box", "mug", "book")


def light(rng: np.random.Generator) -> Light:
    """Return a ceiling light fully inside the room, near its middle, white to warm."""
    x, y = rng.uniform(-0.5, 0.5, 2)
    warm, angle = rng.uniform(0.0, 1.0), rng.uniform(0.0, 2.0 * math.pi)
    color = (1.5, 1.5 * (0.97 - 0.07 * warm), 1.5 * (0.93 - 0.16 * warm))
    fill = (0.8 * math.cos(angle), 0.8 * math.sin(angle), 0.6, 0.16)
    return Light((float(x), float(y), HEIGHT - 0.06), 0.24, color, 0.42, fill)


def at_wall(side: int, along: float, away: float, size: tuple[float, float]) -> Footprint:
    """Return a footprint of half sizes ``size`` with its back to wall ``side``.

    Its centre is ``away`` metres from the room's middle and ``along`` to the wall's right.
    """
    yaw = side * _QUARTER
    c, s = math.cos(yaw), math.sin(yaw)
    return Footprint(c * along - s * away, s * along + c * away, *size, yaw)


def to_wall(half: HalfSizes, side: int) -> float:
    """Return how far wall ``side`` (0 is +y, then counter-clockwise) is from the middle, metres."""
    return half[1 - side % 2]


def shell(build: WorldBuilder, half: HalfSizes) -> None:
    """Build what encloses a room: floor, walls and ceiling."""
    furniture.floor(build, half)
    furniture.walls(build, half, HEIGHT)


def sofa_with_cushions(build: WorldBuilder, ground: Placer, half: HalfSizes, side: int) -> None:
    """Build a sofa in the middle of a wall with one or two cushions leaning on its back."""
    half_x, half_y = build.rng.uniform(0.7, 0.8), 0.4
    spot = at_wall(side, 0.0, to_wall(half, side) - half_y - 0.06, (half_x, half_y))
    ground.reserve(spot)
    pose = on(spot)
    furniture.sofa(build, pose, half_x, half_y)
    for place in build.rng.permutation([-1.0, 1.0])[: int(build.rng.integers(1, 3))]:
        lean = pose_at(place * 0.5 * (half_x - 0.16), 0.12, 0.58, 0.0, tilt=1.25)
        items.cushion(build, pose @ lean, 0.19)


def pictures(build: WorldBuilder, half: HalfSizes, sides: list[int]) -> None:
    """Hang a large picture in the middle of each of the given walls."""
    for side in sides:
        half_x, half_z = build.rng.uniform(0.34, 0.46), build.rng.uniform(0.26, 0.3)
        spot = at_wall(side, build.rng.uniform(-0.3, 0.3), to_wall(half, side), (half_x, 0.0))
        furniture.picture(build, on(spot, 1.24), half_x, half_z)


def corners(build: WorldBuilder, ground: Placer, half: HalfSizes, kinds: list[str]) -> None:
    """Put a floor lamp, a plant or a box, as ``kinds`` says, into corners that are free."""
    signs = build.rng.permutation([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    for kind, (sx, sy) in zip(kinds, signs, strict=False):
        inset = 0.42 if kind == "plant" else 0.34
        spot = Footprint(sx * (half[0] - inset), sy * (half[1] - inset), 0.27, 0.27)
        if not ground.put(spot):
            continue
        if kind == "lamp":
            furniture.lamp(build, on(spot), build.rng.uniform(1.35, 1.55), 0.24)
        elif kind == "plant":
            items.plant(build, on(spot), build.rng.uniform(0.8, 0.95))
        else:
            items.box(build, on(spot), 0.25, 0.22, build.rng.uniform(0.34, 0.44))


def table_with_items(build: WorldBuilder, ground: Placer, along: float = 0.0) -> Footprint:
    """Build a rug, and on it a table with two or three enlarged items; return its footprint.

    It stands within 0.15 m of the point ``(0, along)``.
    """
    rng = build.rng
    x, y = rng.uniform(-0.15, 0.15), along + rng.uniform(-0.15, 0.15)
    yaw = rng.integers(2) * _QUARTER
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


def chairs(build: WorldBuilder, ground: Placer, table: Footprint) -> None:
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


def loose_things(build: WorldBuilder, ground: Placer) -> None:
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
