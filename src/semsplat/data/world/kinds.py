"""The kinds of world, each from a seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from semsplat.data.world.primitives import World
from semsplat.data.world.rooms import make_clutter, make_hall, make_room
from semsplat.data.world.table_tops import TABLE_TOPS, make_table_top
from semsplat.errors import SemsplatError, did_you_mean

KINDS: dict[str, Callable[[int], World]] = {
    "room": make_room,
    "clutter": make_clutter,
    "hall": make_hall,
    **{kind: partial(make_table_top, kind) for kind in TABLE_TOPS},
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
