"""From a kind and a seed to a folder of views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from semsplat.data.world.primitives import World
from semsplat.data.world.replica_layout import write_world
from semsplat.data.world.rooms import make_room, make_tabletop
from semsplat.errors import SemsplatError, did_you_mean

KINDS: dict[str, Callable[[int], World]] = {"room": make_room, "tabletop": make_tabletop}


def make_world(kind: str, seed: int) -> World:
    """Return the world of a kind ("room" or "tabletop") and a seed (an integer >= 0)."""
    if kind not in KINDS:
        known = list(KINDS)
        raise SemsplatError(
            f"unknown world kind '{kind}' (known: {', '.join(known)}){did_you_mean(kind, known)}"
        )
    if seed < 0:
        raise SemsplatError(f"world seed {seed} is negative; give an integer from 0 up")
    return KINDS[kind](seed)


def draw_world(
    kind: str,
    seed: int,
    n_views: int,
    width: int,
    height: int,
    hfov_deg: float,
    out_dir: Path,
) -> None:
    """Draw a world into ``out_dir`` in Semantic-NeRF's Replica layout; the folder is replaced.

    ``width`` and ``height`` are in pixels, ``hfov_deg`` is the horizontal field of view in degrees.
    """
    if n_views < 1 or width < 1 or height < 1:
        raise SemsplatError(
            f"cannot draw {n_views} views of {width}x{height} pixels: all three must be at least 1"
        )
    if not 0.0 < hfov_deg < 180.0:
        raise SemsplatError(f"a field of view of {hfov_deg} degrees is impossible; use 1 to 170")
    write_world(make_world(kind, seed), n_views, width, height, hfov_deg, out_dir)
