"""The room and its furniture.  One function per class, built of named parts.

The walls stand around the origin.  Every other function starts an instance at ``pose`` float64
[4, 4] (origin on the supporting surface, z up, front towards -y) with sizes in metres.  All draw
their colours from the builder's generator.
"""

from __future__ import annotations

import math

from semsplat.data.world.builder import (
    COLORS,
    WOODS,
    WorldBuilder,
    grained,
    lightened,
    mottled,
    plain,
    pose_at,
    printed,
    scaled,
    tint,
    turn_z,
)
from semsplat.data.world.primitives import Floats, HalfSizes, Material, Pattern, Shape

_THICK = 0.05
_WALL_COLORS = ("white", "beige", "gray", "teal", "pink", "blue", "yellow", "green")
_LAMP_SHADES = ("white", "yellow", "orange", "red", "pink", "teal", "green")
_FRAMES = ("brown", "black", "white", "yellow", "gray")


def floor(build: WorldBuilder, half: HalfSizes) -> None:
    """Lay a floor of planks or soft clouds over ``[-half, half]``; its top is ``z = 0``."""
    name = build.pick_color(WOODS)
    color = lightened(tint(build.rng, name), 0.12)
    pattern = (Pattern.PLANKS, Pattern.WOOD, Pattern.CLOUDS)[int(build.rng.integers(3))]
    frequency = {Pattern.PLANKS: 4.0, Pattern.WOOD: 1.6, Pattern.CLOUDS: 2.5}[pattern]
    look = Material(color, scaled(color, 0.62), pattern, frequency, 0.1)
    build.start("floor", name, pose_at(0.0, 0.0, -_THICK), casts_shadow=False)
    build.box("boards", (0.0, 0.0, 0.0), (half[0] + 0.2, half[1] + 0.2, _THICK), look)


def wall(
    build: WorldBuilder, side: int, half: HalfSizes, height: float, name: str, look: Material
) -> None:
    """Put up wall ``side`` (0 is +y, then counter-clockwise) with a skirting board.

    ``half`` are its half width and its distance from the room's middle.
    """
    wide, away = half
    pose = pose_at(0.0, 0.0, 0.0)
    pose[:3, :3] = turn_z(0.5 * math.pi * side)
    build.start("wall", name, pose, casts_shadow=False)
    middle = (0.0, away + _THICK, 0.5 * height)
    build.box("panel", middle, (wide + 2 * _THICK, _THICK, 0.5 * height + 0.1), look)
    skirting = plain(scaled(look.base, 0.45))
    build.box("skirting", (0.0, away - 0.01, 0.06), (wide, 0.012, 0.06), skirting)


def walls(build: WorldBuilder, half: HalfSizes, height: float) -> None:
    """Put up four pale walls of one colour and a white ceiling (class wall)."""
    name = build.pick_color(_WALL_COLORS)
    pale = lightened(tint(build.rng, name), 0.45)
    frequency = build.rng.uniform(1.4, 2.0)
    for side in range(4):
        shade = scaled(pale, build.rng.uniform(0.88, 1.0))
        size = half if side % 2 == 0 else half[::-1]
        wall(build, side, size, height, name, mottled(shade, frequency, 0.82))
    build.start("wall", "white", pose_at(0.0, 0.0, height + _THICK), casts_shadow=False)
    build.box("ceiling", (0.0, 0.0, 0.0), (*half, _THICK), plain((0.8, 0.8, 0.78)))


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


def table(
    build: WorldBuilder,
    pose: Floats,
    half_x: float,
    half_y: float,
    height: float,
    round_top: bool = False,
) -> None:
    """Build a table whose top surface is at ``height``; a round one stands on a pedestal."""
    name = build.pick_color(WOODS)
    color = tint(build.rng, name)
    top, leg = grained(color, build.rng.uniform(5.5, 7.5), 0.78), plain(scaled(color, 0.75))
    build.start("table", name, pose)
    if round_top:
        build.cylinder("top", height - 0.05, height, min(half_x, half_y), top)
        build.cylinder("leg", 0.04, height - 0.05, 0.06, leg)
        build.cylinder("leg", 0.0, 0.04, 0.28, leg, taper=(1.0, 0.6))
        return
    build.box("top", (0.0, 0.0, height - 0.025), (half_x, half_y, 0.025), top)
    _four_legs(build, half_x - 0.06, half_y - 0.06, height - 0.05, 0.035, leg)


def _four_legs(
    build: WorldBuilder, x: float, y: float, height: float, half: float, material: Material
) -> None:
    """Add four square legs at the corners ``(+-x, +-y)``."""
    for sx in (-x, x):
        for sy in (-y, y):
            build.box("leg", (sx, sy, 0.5 * height), (half, half, 0.5 * height), material)


def chair(build: WorldBuilder, pose: Floats, half: float, seat_height: float) -> None:
    """Build a chair with a solid or a slatted back; it faces -y."""
    name = build.pick_color()
    color = tint(build.rng, name)
    wood = grained(color, 4.0, 0.7)
    back = 0.25
    build.start("chair", name, pose)
    build.box("seat", (0.0, 0.0, seat_height - 0.03), (half, half, 0.03), wood)
    if build.rng.random() < 0.5:
        centre = (0.0, half - 0.03, seat_height + 0.08 + back)
        build.box("back", centre, (half, 0.03, back), wood)
        build.box("back", (0.0, half - 0.03, seat_height + 0.04), (0.06, 0.025, 0.05), wood)
    else:
        for step in range(3):
            z = seat_height + 0.1 + 0.17 * step
            build.box("back", (0.0, half - 0.03, z), (half, 0.022, 0.06), wood)
        for sx in (-1.0, 1.0):
            post = (sx * (half - 0.03), half - 0.03, seat_height + back)
            build.box("back", post, (0.03, 0.028, back), wood)
    _four_legs(build, half - 0.03, half - 0.03, seat_height - 0.06, 0.03, plain(scaled(color, 0.7)))


def sofa(build: WorldBuilder, pose: Floats, half_x: float, half_y: float) -> None:
    """Build a sofa with two seat cushions; its back is towards +y and 0.8 m high."""
    name = build.pick_color(tuple(n for n in COLORS if n not in ("white", "black")))
    color = tint(build.rng, name)
    body = mottled(color, 3.0, 0.72)
    seat = mottled(lightened(color, 0.1), 3.0, 0.78)
    build.start("sofa", name, pose)
    build.box("base", (0.0, 0.0, 0.15), (half_x, half_y, 0.13), body)
    build.box("back", (0.0, half_y - 0.11, 0.5), (half_x, 0.11, 0.3), body)
    width = 0.5 * (half_x - 0.16)
    for sx in (-1.0, 1.0):
        centre = (sx * width, -0.09, 0.35)
        build.box("seat", centre, (width - 0.012, half_y - 0.12, 0.075), seat)
        build.box("arm", (sx * (half_x - 0.08), 0.0, 0.36), (0.085, half_y + 0.005, 0.21), body)


def lamp(build: WorldBuilder, pose: Floats, height: float, radius: float) -> None:
    """Build a lamp: a stand and a glowing conical shade whose top is at ``height``."""
    name = build.pick_color(_LAMP_SHADES)
    color = tint(build.rng, name)
    stand = plain(tint(build.rng, ("black", "gray", "brown")[int(build.rng.integers(3))]), 0.5)
    tall = min(1.5 * radius, 0.5 * height)
    shade = Material(color, scaled(color, 0.75), Pattern.STRIPES, 2.5 / radius, glow=0.28)
    build.start("lamp", name, pose)
    build.cylinder("stand", 0.0, 0.04, 0.8 * radius, stand, taper=(1.0, 0.8))
    build.cylinder("stand", 0.04, height - tall, max(0.022, 0.12 * radius), stand)
    build.cylinder("shade", height - tall, height, radius, shade, (1.0, 0.62))


def picture(
    build: WorldBuilder, pose: Floats, half_x: float, half_z: float, two_sided: bool = False
) -> None:
    """Build a framed picture, centred on the origin with its back on the plane ``y = 0``.

    A two-sided one shows its canvas on the back as well.
    """
    name = build.pick_color(_FRAMES)
    frame = plain(tint(build.rng, name), 0.3)
    image = tint(build.rng, build.pick_color(("red", "blue", "yellow", "green", "orange", "teal")))
    paint = printed(build.rng, image, (Pattern.CHECKS, Pattern.DOTS, Pattern.STRIPES), 1.0 / half_z)
    build.start("picture", name, pose)
    edge = 0.16 * min(half_x, half_z)
    build.box("frame", (0.0, -0.015, 0.0), (half_x, 0.015, half_z), frame)
    canvas = (0.0, -0.015 if two_sided else -0.02, 0.0)
    build.box("canvas", canvas, (half_x - edge, 0.019, half_z - edge), paint)
