"""The room itself: floor, walls, ceiling, rug."""

from __future__ import annotations

import math

from semsplat.data.world.builder import WorldBuilder, pose_at, turn_z
from semsplat.data.world.materials import (
    WOODS,
    lightened,
    mottled,
    plain,
    printed,
    scaled,
    tint,
)
from semsplat.data.world.primitives import Floats, Material, Pattern, Shape

_THICK = 0.05
_WALL_COLORS = ("white", "beige", "gray", "teal", "pink", "blue", "yellow", "green")


def floor(build: WorldBuilder, half: float) -> None:
    """Lay a floor of planks or soft clouds over ``[-half, half]^2``; its top is ``z = 0``."""
    name = build.pick_color(WOODS)
    color = lightened(tint(build.rng, name), 0.12)
    pattern = (Pattern.PLANKS, Pattern.WOOD, Pattern.CLOUDS)[int(build.rng.integers(3))]
    frequency = {Pattern.PLANKS: 4.0, Pattern.WOOD: 1.6, Pattern.CLOUDS: 2.5}[pattern]
    look = Material(color, scaled(color, 0.62), pattern, frequency, 0.1)
    build.start("floor", name, pose_at(0.0, 0.0, -_THICK), casts_shadow=False)
    build.box("boards", (0.0, 0.0, 0.0), (half + 0.2, half + 0.2, _THICK), look)


def wall(
    build: WorldBuilder, side: int, half: float, height: float, name: str, look: Material
) -> None:
    """Put up wall ``side`` (0 is +y, then counter-clockwise) with a skirting board."""
    pose = pose_at(0.0, 0.0, 0.0)
    pose[:3, :3] = turn_z(0.5 * math.pi * side)
    build.start("wall", name, pose, casts_shadow=False)
    middle = (0.0, half + _THICK, 0.5 * height)
    build.box("panel", middle, (half + 2 * _THICK, _THICK, 0.5 * height + 0.1), look)
    skirting = plain(scaled(look.base, 0.45))
    build.box("skirting", (0.0, half - 0.01, 0.06), (half, 0.012, 0.06), skirting)


def walls(build: WorldBuilder, half: float, height: float) -> None:
    """Put up four pale walls of one colour and a white ceiling (class wall)."""
    name = build.pick_color(_WALL_COLORS)
    pale = lightened(tint(build.rng, name), 0.45)
    frequency = build.rng.uniform(1.4, 2.0)
    for side in range(4):
        shade = scaled(pale, build.rng.uniform(0.88, 1.0))
        wall(build, side, half, height, name, mottled(shade, frequency, 0.82))
    build.start("wall", "white", pose_at(0.0, 0.0, height + _THICK), casts_shadow=False)
    build.box("ceiling", (0.0, 0.0, 0.0), (half, half, _THICK), plain((0.8, 0.8, 0.78)))


def rug(build: WorldBuilder, pose: Floats, half_x: float, half_y: float) -> None:
    """Lay a rug with a border: rectangular, or round when both half sizes are equal."""
    name = build.pick_color()
    color = tint(build.rng, name)
    kinds = (Pattern.CHECKS, Pattern.STRIPES, Pattern.DOTS)
    field = printed(build.rng, color, kinds, build.rng.uniform(2.2, 3.2))
    border = plain(scaled(color, 0.45) if max(color) > 0.3 else lightened(color, 0.5))
    shape = Shape.CONE if half_x == half_y else Shape.BOX
    build.start("rug", name, pose)
    build.add("border", shape, (0.0, 0.0, 0.006), (half_x, half_y, 0.006), border)
    inner = (half_x - 0.1, half_y - 0.1, 0.008)
    build.add("field", shape, (0.0, 0.0, 0.008), inner, field)
