"""The 13 named colours and the materials made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from semsplat.data.world.primitives import Material, Pattern, Rgb

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
