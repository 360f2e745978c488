"""Colour the things of a world anew: every other one motley, the rest of one colour.

A motley thing's parts have colours of their own, so that a crop of a part says little about the
whole; a plain one's parts all look like the whole.  Which level of granularity serves best then
differs from thing to thing, which is what GAGS (arXiv 2412.13654, section 3.3) chooses by.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semsplat.data.world.builder import COLORS, plain, tint
from semsplat.data.world.primitives import Instance, Material, World

_KEPT = ("floor", "wall", "rug", "table")
# The part whose colour a thing is named by, where it is not the first.
_NAMED_BY = {"lamp": "shade", "plant": "leaves"}


def motley_beside_plain(world: World, rng: np.random.Generator) -> World:
    """Return the world with its things coloured anew, alternately motley and plain.

    Floor, walls, rug and table keep their looks.  The part that a thing's named colour is of has
    it still, so what captions say of the thing stays true; glow and gloss are kept.
    """
    things = [i for i in world.instances if i.class_name not in _KEPT and len(i.parts) > 1]
    order = rng.permutation(len(things))
    looks: dict[int, Material] = {}
    for place, thing in zip(order.tolist(), things, strict=True):
        looks |= _looks(thing, place % 2 == 0, rng)
    primitives = [
        replace(p, material=_coloured(p.material, looks[p.part_id])) if p.part_id in looks else p
        for p in world.primitives
    ]
    return replace(world, primitives=tuple(primitives))


def _looks(thing: Instance, motley: bool, rng: np.random.Generator) -> dict[int, Material]:
    """Return a plain material for each part of a thing by the part's id."""
    named = _NAMED_BY.get(thing.class_name, thing.parts[0].name)
    parts = sorted(thing.parts, key=lambda part: part.name != named)
    names = [thing.color, *rng.permutation([name for name in COLORS if name != thing.color])]
    chosen = [str(names[place if motley else 0]) for place in range(len(parts))]
    return {part.part_id: plain(tint(rng, name)) for part, name in zip(parts, chosen, strict=True)}


def _coloured(before: Material, look: Material) -> Material:
    """Return the material ``look`` with the gloss and glow of ``before``."""
    return replace(look, specular=before.specular, glow=before.glow)
