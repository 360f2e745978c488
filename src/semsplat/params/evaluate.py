"""Parameters of the phase *evaluate*."""

from __future__ import annotations

from typing import Literal

from semsplat.params.base import Count, Strict


class Evaluate(Strict):
    """Scores of held-out views."""

    lpips_net: Literal["alex", "vgg"]
    """backbone of LPIPS; scored only where its weights are on disk"""
    speed_repeats: Count
    """rendered frames of which the median counts as the speed of a training"""
