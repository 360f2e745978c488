"""Assemble a world: the 13 named colours and the materials made from them, poses, a builder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from semsplat.data.world.primitives import (
    Floats,
    HalfSizes,
    Instance,
    Light,
    Material,
    Orbit,
    Part,
    Pattern,
    Primitive,
    Rgb,
    Shape,
    World,
)

Vector = Sequence[float]

COLORS: dict[str, Rgb] = {
    "red": (0.60, 0.04, 0.04),
    "orange": (0.85, 0.28, 0.03),
    "yellow": (0.85, 0.62, 0.05),
    "green": (0.09, 0.36, 0.08),
    "blue": (0.06, 0.16, 0.58),
    "purple": (0.28, 0.08, 0.42),
    "pink": (0.85, 0.33, 0.45),
    "brown": (0.24, 0.12, 0.05),
    "white": (0.78, 0.78, 0.75),
    "black": (0.035, 0.035, 0.04),
    "gray": (0.28, 0.28, 0.30),
    "teal": (0.04, 0.36, 0.36),
    "beige": (0.60, 0.48, 0.32),
}
WOODS = ("brown", "beige", "white", "gray", "brown")
POTS = ("orange", "white", "gray", "blue", "teal")
FABRIC = (Pattern.PLAIN, Pattern.CHECKS, Pattern.STRIPES, Pattern.DOTS, Pattern.PATCHES)


def clip_color(color: Iterable[float]) -> Rgb:
    """Return a colour kept inside [0.02, 0.9], where surfaces neither vanish nor burn out."""
    r, g, b = (float(min(0.9, max(0.02, c))) for c in color)
    return r, g, b


def tint(rng: np.random.Generator, name: str) -> Rgb:
    """Return a named colour slightly varied, so that two red things are not the same red."""
    shade = np.array(COLORS[name]) * rng.uniform(0.85, 1.15) + rng.normal(0.0, 0.012, 3)
    return clip_color(shade)


def scaled(color: Rgb, factor: float) -> Rgb:
    """Return a colour made darker or lighter by ``factor``."""
    return clip_color([c * factor for c in color])


def lightened(color: Rgb, share: float) -> Rgb:
    """Return a colour mixed with ``share`` of near-white."""
    return clip_color([c * (1.0 - share) + 0.85 * share for c in color])


def accent_of(rng: np.random.Generator, color: Rgb) -> Rgb:
    """Return a second colour of the same hue, clearly darker or clearly lighter."""
    if max(color) > 0.5 or rng.random() < 0.3:
        return scaled(color, rng.uniform(0.35, 0.6))
    return lightened(color, rng.uniform(0.35, 0.6))


def plain(color: Rgb, specular: float = 0.0) -> Material:
    """Return a material of one colour."""
    return Material(color, color, specular=specular)


def grained(color: Rgb, frequency: float, depth: float = 0.6) -> Material:
    """Return wood: the colour with a darker grain of ``depth`` times its brightness."""
    return Material(color, scaled(color, depth), Pattern.WOOD, frequency, 0.15)


def mottled(color: Rgb, frequency: float, depth: float = 0.75) -> Material:
    """Return a matt surface with soft clouds down to ``depth`` times its brightness."""
    return Material(color, scaled(color, depth), Pattern.CLOUDS, frequency)


def printed(
    rng: np.random.Generator,
    color: Rgb,
    patterns: Sequence[Pattern],
    frequency: float,
    specular: float = 0.0,
) -> Material:
    """Return a material with one of ``patterns`` in a second tone of the same hue."""
    pattern = patterns[int(rng.integers(len(patterns)))]
    if pattern in (Pattern.PLAIN, Pattern.CLOUDS):
        return Material(color, scaled(color, 0.7), Pattern.CLOUDS, frequency, specular)
    return Material(color, accent_of(rng, color), pattern, frequency, specular)


def turn_z(angle: float) -> Floats:
    """Return the rotation float64 [3, 3] by ``angle`` radians about z."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def turn_x(angle: float) -> Floats:
    """Return the rotation float64 [3, 3] by ``angle`` radians about x."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def pose_at(x: float, y: float, z: float, yaw: float = 0.0, tilt: float = 0.0) -> Floats:
    """Return the pose float64 [4, 4] at a point, turned by ``yaw`` after tilting about x."""
    pose = np.eye(4)
    pose[:3, :3] = turn_z(yaw) @ turn_x(tilt)
    pose[:3, 3] = (x, y, z)
    return pose


class WorldBuilder:
    """Collects instances and their primitives; furniture functions write into it.

    ``rng`` is the only source of chance, so a seed fixes the world.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        """Start an empty world."""
        self.rng = rng
        self._instances: list[Instance] = []
        self._primitives: list[Primitive] = []
        self._part_count = 0
        self._pose: Floats = np.eye(4)
        self._used: list[str] = []

    def pick_color(self, names: Sequence[str] = tuple(COLORS)) -> str:
        """Return a colour name from ``names``, one that no instance has yet if there is one."""
        fresh = [n for n in names if n not in self._used] or list(names)
        name = fresh[int(self.rng.integers(len(fresh)))]
        self._used.append(name)
        return name

    def start(self, class_name: str, color: str, pose: Floats, casts_shadow: bool = True) -> None:
        """Begin an instance whose primitives are given relative to ``pose`` float64 [4, 4]."""
        number = len(self._instances) + 1
        self._instances.append(Instance(number, class_name, color, (), casts_shadow))
        self._pose = pose

    def _part_id(self, name: str) -> int:
        """Return the id of the current instance's part, which is created when it is new."""
        instance = self._instances[-1]
        for part in instance.parts:
            if part.name == name:
                return part.part_id
        self._part_count += 1
        parts = (*instance.parts, Part(self._part_count, name))
        self._instances[-1] = replace(instance, parts=parts)
        return self._part_count

    def add(
        self,
        part: str,
        shape: Shape,
        centre: Vector,
        half: Vector,
        material: Material,
        turn: Floats | None = None,
        taper: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Add a primitive of half sizes ``half`` metres at ``centre`` in the instance's frame."""
        local = np.eye(4)
        size = np.asarray(half, dtype=np.float64)
        local[:3, :3] = (np.eye(3) if turn is None else turn) * size
        local[:3, 3] = centre
        self._primitives.append(
            Primitive(
                shape,
                self._pose @ local,
                size,
                material,
                self._part_id(part),
                len(self._instances),
                taper,
            )
        )

    def box(self, part: str, centre: Vector, half: Vector, material: Material) -> None:
        """Add an axis-aligned box."""
        self.add(part, Shape.BOX, centre, half, material)

    def cylinder(
        self,
        part: str,
        base: float,
        top: float,
        radius: float,
        material: Material,
        taper: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Add an upright cylinder (or cone, by ``taper``) on the axis from ``base`` to ``top``."""
        half = (radius, radius, 0.5 * (top - base))
        self.add(part, Shape.CONE, (0.0, 0.0, 0.5 * (base + top)), half, material, taper=taper)

    def finish(
        self,
        kind: str,
        seed: int,
        half: HalfSizes,
        height: float,
        light: Light,
        orbit: Orbit,
        catch_all: tuple[str, ...] = (),
    ) -> World:
        """Return the finished world."""
        return World(
            kind,
            seed,
            half,
            height,
            tuple(self._instances),
            tuple(self._primitives),
            light,
            orbit,
            catch_all,
        )
