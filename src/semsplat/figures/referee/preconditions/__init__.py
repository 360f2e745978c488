"""What must be true of a scene before it can say anything of a claim, one precondition per file.

A claim names what it ``needs`` and on which row's trainings.  Each file has ``value(results,
training)``, a number that the workflow measured, None where it could not; ``holds(value)``; and
``WORDS``, which say the ``{value}``.  A number that none measures yet goes into what scores a scene
or its features (see `semsplat.evaluate.things`).
"""

from __future__ import annotations

from statistics import fmean

from semsplat.discovery import kinds_of
from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import Found

precondition_names, precondition = kinds_of(__name__, "precondition", ("value", "holds", "WORDS"))


def modules() -> list[str]:
    """Return the modules of what claims need, which are imported by name; raise for an unknown."""
    needed = {name for claim in load_claims().claims.values() for name in claim.needs}
    return [precondition(name).__name__ for name in sorted(needed)]


def where_they_hold(claim: Claim, found: Found, results: Results) -> tuple[Found, str]:
    """Return what is left of a claim's scenes where its preconditions hold, and why not all are."""
    reasons: dict[str, list[str]] = {}
    for name, row in claim.needs.items():
        for scene in found.effects:
            if why := _why_not(name, claim, row, scene, results):
                reasons.setdefault(scene, []).append(why)
    kept = {scene: e for scene, e in found.effects.items() if scene not in reasons}
    used = tuple(t for t in found.trainings if t.place in kept)
    said = [f"{scene}: {', '.join(why)}" for scene, why in reasons.items()]
    return found._replace(effects=kept, trainings=used), "; ".join(said)


def _why_not(name: str, claim: Claim, row: str, scene: str, results: Results) -> str:
    """Return why a precondition does not hold on a scene; empty where it does.

    What was measured of each seed is averaged.
    """
    kind, setting = precondition(name), load_table(claim.table).rows[row].setting
    measured = [kind.value(results, training) for training in results.of(setting, [scene])]
    values = [value for value in measured if value is not None]
    if not values:
        return f"{name} was not measured"
    value = fmean(values)
    return "" if kind.holds(value) else str(kind.WORDS.format(value=value))
