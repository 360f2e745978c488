"""What a world is made of: materials, primitives, parts, instances, light, and the world itself.

World axes: x and y along the floor, z up, metres; the floor is ``z = 0`` and the room is centred on
the origin.  Colours are linear RGB in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rgb = tuple[float, float, float]
HalfSizes = tuple[float, float]

# Class ids on disk are positions in this tuple plus one; 0 is void.
CLASSES = (
    "floor",
    "wall",
    "rug",
    "table",
    "chair",
    "sofa",
    "lamp",
    "ball",
    "mug",
    "book",
    "plant",
    "picture",
    "box",
    "cushion",
)
# What class maps call the classes that a world's catch-all takes in.
CATCH_ALL = "things"


_UNIT_BOX_HULL = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
# The twelve corners of the icosahedron around the unit ball: much tighter than the box.
_ICOSAHEDRON = [
    point
    for a in (-1.0, 1.0)
    for b in (-1.618033988749895, 1.618033988749895)
    for point in ((0.0, a, b), (a, b, 0.0), (b, 0.0, a))
]
_UNIT_BALL_HULL = np.array(_ICOSAHEDRON) / 1.5115226281523415


class Shape(IntEnum):
    """The unit shapes; a primitive's transform stretches, turns and moves one of them."""

    BOX = 0
    ELLIPSOID = 1
    CONE = 2


class Pattern(IntEnum):
    """Procedural textures mixing a material's base and accent colours."""

    PLAIN = 0
    CHECKS = 1
    STRIPES = 2
    CLOUDS = 3
    WOOD = 4
    DOTS = 5
    PATCHES = 6
    PLANKS = 7


@dataclass(frozen=True)
class Material:
    """How a surface looks.

    ``base`` and ``accent`` are mixed by ``pattern`` at ``frequency`` periods per metre;
    ``specular`` in [0, 1] scales the highlight, ``glow`` the light given off (lamp shades).
    """

    base: Rgb
    accent: Rgb
    pattern: Pattern = Pattern.PLAIN
    frequency: float = 4.0
    specular: float = 0.0
    glow: float = 0.0


@dataclass(frozen=True)
class Primitive:
    """One convex shape of a part.

    ``transform`` float64 [4, 4] maps the unit shape into the world; ``half`` float64 [3] holds its
    half sizes in metres (texture coordinates are metric); ``taper`` the radii of a cone's ends, in
    [0, 1] so that every shape fits its unit box.
    """

    shape: Shape
    transform: Floats
    half: Floats
    material: Material
    part_id: int
    instance_id: int
    taper: tuple[float, float] = (1.0, 1.0)

    def hull(self) -> Floats:
        """Return world points float64 [N, 3] whose convex hull contains the primitive."""
        unit = _UNIT_BALL_HULL if self.shape is Shape.ELLIPSOID else _UNIT_BOX_HULL
        return unit @ self.transform[:3, :3].T + self.transform[:3, 3]


@dataclass(frozen=True)
class Part:
    """A named part of an instance; ``part_id`` counts from 1 over the whole world."""

    part_id: int
    name: str


@dataclass(frozen=True)
class Instance:
    """One object: its class, its named colour, its parts; ``instance_id`` counts from 1."""

    instance_id: int
    class_name: str
    color: str
    parts: tuple[Part, ...]
    casts_shadow: bool = True


@dataclass(frozen=True)
class Light:
    """A round area light facing down, with ambient light and one soft fill direction."""

    centre: Rgb
    radius: float
    color: Rgb
    ambient: float
    fill: tuple[float, float, float, float]


@dataclass(frozen=True)
class Orbit:
    """The closed camera path of a world: a wavy ring around ``centre``, looking across it.

    The camera keeps ``radius`` metres from the axis through ``centre`` at ``height`` above the
    floor, give or take ``bob``; it looks at a point at height ``target_height`` that lies
    ``across`` metres beyond the axis.  Where ``nearest`` is below 1 it comes as near as that share
    of the radius, five times a turn.  Along y the ring is ``stretch`` times as long.
    """

    centre: tuple[float, float]
    radius: float
    height: float
    bob: float
    target_height: float
    across: float
    nearest: float = 1.0
    stretch: float = 1.0


@dataclass(frozen=True)
class World:
    """A closed room with everything in it, its light and its camera path.

    ``half`` are half sizes along x and y in metres.  Class maps call the classes ``catch_all`` by
    one name.
    """

    kind: str
    seed: int
    half: HalfSizes
    height: float
    instances: tuple[Instance, ...]
    primitives: tuple[Primitive, ...]
    light: Light
    orbit: Orbit
    catch_all: tuple[str, ...] = ()

    @cached_property
    def instance_ids(self) -> NDArray[np.uint16]:
        """Instance id of every primitive, uint16 [P], from 1."""
        return np.array([p.instance_id for p in self.primitives], np.uint16)

    @cached_property
    def part_ids(self) -> NDArray[np.uint16]:
        """Part id of every primitive, uint16 [P], from 1."""
        return np.array([p.part_id for p in self.primitives], np.uint16)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of its class maps: `CLASSES`, a catch-all after what is left."""
        kept = tuple(name for name in CLASSES if name not in self.catch_all)
        return (*kept, CATCH_ALL) if self.catch_all else kept

    def class_id(self, instance: Instance) -> int:
        """Return the id of an instance in class maps, from 1 in the order of `class_names`."""
        name = CATCH_ALL if instance.class_name in self.catch_all else instance.class_name
        return self.class_names.index(name) + 1

    @cached_property
    def class_ids(self) -> NDArray[np.uint16]:
        """Class id of every primitive, uint16 [P], see `class_id`."""
        of_instance = [self.class_id(instance) for instance in self.instances]
        return np.array(of_instance, np.uint16)[self.instance_ids - 1]
