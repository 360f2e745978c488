"""Parameters of the phase *evaluate*."""

from __future__ import annotations

from typing import Literal

from semsplat.params.base import Strict


class Evaluate(Strict):
    """Scores of held-out views."""

    lpips_net: Literal["alex", "vgg"]
    """backbone of LPIPS; scored only where its weights are on disk"""
