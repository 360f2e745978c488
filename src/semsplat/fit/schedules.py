"""Schedules: pure functions of the step (iteration counts already scaled)."""

from __future__ import annotations

import math

from semsplat.params.geometry import Densify, Progressive

ROUNDING = 1e-9
"""a hundred hundredths may sum up to less than one"""


def log_linear(step: int, steps: int, start: float, end: float) -> float:
    """Return a learning rate, as that of positions: log-linear from ``start`` to ``end`` (3DGS).

    3DGS's delay multiplier has no effect at its default of zero delay steps and is left out.
    """
    progress = min(step / steps, 1.0)
    return math.exp((1 - progress) * math.log(start) + progress * math.log(end))


def sh_degree(step: int, every: int, highest: int) -> int:
    """Return the degree of harmonics in use: one more every ``every`` steps (3DGS)."""
    return min(step // every, highest)


def cosine(step: int, steps: int, start: float, end: float) -> float:
    """Return the half-cosine from ``start`` at step 0 to ``end`` at ``steps`` and after."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))


def image_scale(step: int, config: Progressive) -> float:
    """Return the image scale of CLIP-GS's PDR: 0.5 at step 0, 1 from step 7000 on.

    The paper says "cosine scheme" without a formula; METHODS 1.1-6 gives the form used here.
    """
    if not config.enabled:
        return 1.0
    return cosine(step, config.scale_steps, config.scale_start, 1.0)


def refine_interval(step: int, densify: Densify, progressive: Progressive) -> float:
    """Return the refinement interval of CLIP-GS's PDR: 200 at step 0, 100 from step 4000 on."""
    if not progressive.enabled:
        return densify.every
    return cosine(step, progressive.interval_steps, progressive.interval_start, densify.every)


def refine_steps(densify: Densify, progressive: Progressive) -> list[int]:
    """Return the steps at which Gaussians are split, cloned and pruned, ascending.

    A step is worth the inverse of its interval, and one refinement is due whenever that makes a
    whole, counted from step 0: with one interval 3DGS's ``step % every``.  In a run of few steps,
    where `Densify.every_floor` holds, PDR so leaves out the same share of the refinements as in one
    of full length; were the long interval of step 0 waited for, it would be most of them.  Steps up
    to ``densify.start`` and from ``densify.stop`` on are left out.
    """
    steps, due = [], 0.0
    for step in range(1, densify.stop):
        due += 1 / refine_interval(step - 1, densify, progressive)
        if due >= 1 - ROUNDING:
            due -= 1
            if step > densify.start:
                steps.append(step)
    return steps
