"""What a verdict says, whatever rules led to it."""

from __future__ import annotations

from typing import NamedTuple

from semsplat.keys import TrainingKey

REPRODUCED, CONTRADICTED, INCONCLUSIVE = "reproduced", "contradicted", "inconclusive"
NOT_TESTABLE, NOT_RUN = "not testable here", "not run"
WORDS = (REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE, NOT_RUN)
AGREES, SMALLER, LARGER = "agrees", "smaller", "larger"
SIZES = (AGREES, SMALLER, LARGER)
Effects = dict[str, list[float]]
"""scene: the effect of every seed."""


class Found(NamedTuple):
    """What a suite has of one claim on one kind of scenes."""

    evidence: str
    effects: Effects
    trainings: tuple[TrainingKey, ...]
    absent: str = ""
    """why there are no effects"""


class Verdict(NamedTuple):
    """What came out of one claim on one kind of scenes."""

    found: Found
    word: str
    reason: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """that chance alone does it; None where nothing was tested, as by rules@1"""
    p_holm: float | None = None
    """the same, corrected for all claims of the paper"""
    size: str = ""
    """our interval against the printed effect; empty where either is missing"""
    can_show: float | None = None
    """the smallest effect that this suite can be relied on to show; None as for p"""

    @property
    def n_scenes(self) -> int:
        """Scenes that have an effect."""
        return len(self.found.effects)

    @property
    def n_pairs(self) -> int:
        """Pairs of one scene and one seed."""
        return sum(map(len, self.found.effects.values()))


def not_run(found: Found) -> Verdict:
    """Return the verdict on a claim of which a suite has nothing."""
    return Verdict(found, NOT_RUN, found.absent)
