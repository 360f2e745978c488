"""Smaller things: ball, mug, book, plant, box, cushion.  One function per class, of named parts.

Every function starts an instance at ``pose`` float64 [4, 4] (origin on the supporting surface, z
up) with sizes in metres, and draws its colours from the builder's generator.
"""

from __future__ import annotations

import math

import numpy as np

from semsplat.data.world.builder import (
    FABRIC,
    POTS,
    WorldBuilder,
    accent_of,
    clip_color,
    lightened,
    mottled,
    plain,
    printed,
    scaled,
    tint,
    turn_x,
    turn_z,
)
from semsplat.data.world.primitives import Floats, Material, Pattern, Rgb, Shape

_BOXES = ("brown", "beige", "red", "blue", "green", "yellow", "purple", "gray")


def ball(build: WorldBuilder, pose: Floats, radius: float) -> None:
    """Build a ball with a band around its waist."""
    name = build.pick_color()
    color = tint(build.rng, name)
    kinds = (Pattern.CLOUDS, Pattern.CHECKS, Pattern.STRIPES, Pattern.PATCHES)
    body = printed(build.rng, color, kinds, 0.55 / radius, specular=0.5)
    build.start("ball", name, pose)
    build.add("body", Shape.ELLIPSOID, (0.0, 0.0, radius), (radius,) * 3, body)
    band = plain(accent_of(build.rng, color), 0.5)
    swell = (1.02 * radius, 1.02 * radius, 0.6 * radius)
    build.add("band", Shape.ELLIPSOID, (0.0, 0.0, radius), swell, band)


def mug(build: WorldBuilder, pose: Floats, radius: float) -> None:
    """Build a mug full of coffee, with a square handle towards +x; height 2.1 radii."""
    name = build.pick_color()
    color = tint(build.rng, name)
    kinds = (Pattern.PLAIN, Pattern.STRIPES, Pattern.DOTS)
    body = printed(build.rng, color, kinds, 0.6 / radius, specular=0.7)
    height, bar = 2.1 * radius, 0.15 * radius
    build.start("mug", name, pose)
    build.cylinder("body", 0.0, height, radius, body, taper=(0.85, 1.0))
    build.cylinder("body", height, height + 0.003, 0.85 * radius, plain((0.07, 0.035, 0.02), 0.3))
    handle = plain(scaled(color, 0.85), 0.6)
    for z in (0.3 * height, 0.75 * height):
        build.box("handle", (1.2 * radius, 0.0, z), (0.42 * radius, bar, bar), handle)
    centre = (1.6 * radius, 0.0, 0.525 * height)
    build.box("handle", centre, (bar, bar, 0.225 * height + bar), handle)


def book(build: WorldBuilder, pose: Floats, half_x: float) -> None:
    """Build a thick book lying flat: two boards and a spine around pale pages."""
    name = build.pick_color()
    color = tint(build.rng, name)
    half_y, thick, board = 1.35 * half_x, 0.32 * half_x, 0.05 * half_x
    kinds = (Pattern.PLAIN, Pattern.CHECKS, Pattern.STRIPES)
    cover = printed(build.rng, color, kinds, 0.7 / half_x)
    pages = mottled((0.82, 0.78, 0.66), 1.5 / half_x, 0.8)
    build.start("book", name, pose)
    for z in (board, thick - board):
        build.box("cover", (0.0, 0.0, z), (half_x, half_y, board), cover)
    build.box("cover", (board - half_x, 0.0, 0.5 * thick), (board, half_y, 0.5 * thick), cover)
    inside = (0.94 * half_x, 0.95 * half_y, 0.5 * thick - 1.5 * board)
    build.box("pages", (0.01 * half_x, 0.0, 0.5 * thick), inside, pages)


def plant(build: WorldBuilder, pose: Floats, height: float) -> None:
    """Build a potted plant of ``height``: long leaves fanned out, or a few round bushes."""
    pot = height * 0.36
    rng = build.rng
    color = clip_color([rng.uniform(0.05, 0.16), rng.uniform(0.26, 0.42), rng.uniform(0.03, 0.10)])
    clay = mottled(tint(rng, build.pick_color(POTS)), 1.0 / pot, 0.8)
    build.start("plant", "green", pose)
    build.cylinder("pot", 0.0, pot, 0.52 * pot, clay, taper=(0.72, 1.0))
    if rng.random() < 0.5:
        _long_leaves(build, pot, height - pot, color)
    else:
        _bushes(build, pot, height - pot, color)


def _long_leaves(build: WorldBuilder, base: float, length: float, color: Rgb) -> None:
    """Add leaves fanned out evenly, leaning by 0.25 to 0.65 radians."""
    count = int(build.rng.integers(6, 9))
    for k in range(count):
        azimuth = 2.0 * math.pi * (k + build.rng.uniform(-0.2, 0.2)) / count
        turn = turn_z(azimuth) @ turn_x(build.rng.uniform(0.25, 0.65))
        half = 0.5 * length * build.rng.uniform(0.9, 1.05)
        shade = scaled(color, build.rng.uniform(0.75, 1.3))
        look = Material(shade, scaled(shade, 0.6), Pattern.CLOUDS, 3.0 / length, 0.15)
        centre = turn @ np.array([0.0, 0.0, 0.92 * half]) + np.array([0.0, 0.0, base])
        size = (0.17 * length, 0.05 * length, half)
        build.add("leaves", Shape.ELLIPSOID, centre, size, look, turn=turn)


def _bushes(build: WorldBuilder, base: float, length: float, color: Rgb) -> None:
    """Add one large and a few smaller round bushes."""
    spots = [(0.0, 0.0, 0.62, 0.36)]
    start = build.rng.uniform(0.0, 2.0)
    for k in range(4):
        azimuth = start + 0.5 * math.pi * k
        side = (0.26 * math.cos(azimuth), 0.26 * math.sin(azimuth))
        spots.append((*side, 0.3 + 0.08 * (k % 2), 0.26))
    for x, y, z, size in spots:
        shade = scaled(color, build.rng.uniform(0.8, 1.25))
        look = Material(shade, scaled(shade, 0.5), Pattern.PATCHES, 1.6 / length)
        centre = (x * length, y * length, base + z * length)
        build.add("leaves", Shape.ELLIPSOID, centre, (size * length,) * 3, look)


def box(build: WorldBuilder, pose: Floats, half_x: float, half_y: float, height: float) -> None:
    """Build a box with a lid, or a carton closed with tape."""
    name = build.pick_color(_BOXES)
    color = tint(build.rng, name)
    side = printed(build.rng, color, (Pattern.CLOUDS, Pattern.STRIPES), 0.6 / half_x)
    body = mottled(color, 0.8 / half_x, 0.75)
    build.start("box", name, pose)
    if build.rng.random() < 0.5:
        lid = 0.24 * height
        build.box("body", (0.0, 0.0, 0.4 * height), (half_x, half_y, 0.4 * height), side)
        top = (1.06 * half_x, 1.06 * half_y, 0.5 * lid)
        build.box("lid", (0.0, 0.0, height - 0.5 * lid), top, plain(accent_of(build.rng, color)))
        return
    build.box("body", (0.0, 0.0, 0.5 * height), (half_x, half_y, 0.5 * height), body)
    tape = (0.2 * half_x, half_y + 0.003, 0.5 * height + 0.002)
    build.box("tape", (0.0, 0.0, 0.5 * height), tape, plain(lightened(color, 0.6)))


def cushion(build: WorldBuilder, pose: Floats, half: float) -> None:
    """Build a square cushion lying flat: a soft slab bulging in the middle, with a button."""
    name = build.pick_color()
    color = tint(build.rng, name)
    fabric = printed(build.rng, color, FABRIC, 0.9 / half)
    middle = 0.42 * half
    build.start("cushion", name, pose)
    build.box("body", (0.0, 0.0, middle), (half, half, 0.12 * half), fabric)
    bulge = (1.12 * half, 1.12 * half, middle)
    build.add("body", Shape.ELLIPSOID, (0.0, 0.0, middle), bulge, fabric)
    build.cylinder("button", 0.0, 2.01 * middle, 0.1 * half, plain(accent_of(build.rng, color)))
