"""What must be true of a scene before it can say anything of a claim, one precondition per file.

A claim names what it ``needs`` and on which row's trainings.  Each file has ``value(results,
training)``, a number that the workflow measured, None where it could not; ``holds(value)``;
``WORDS``, which say the ``{value}`` that does not do; ``ASKS``, what is measured and what would
do; and ``SHOWN``, how a value is written.  A number that none measures yet goes into what scores a
scene or its features (see `semsplat.evaluate.things`).
"""

from __future__ import annotations

from statistics import fmean

from semsplat.discovery import kinds_of
from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import Found

precondition_names, precondition = kinds_of(
    __name__, "precondition", ("value", "holds", "WORDS", "ASKS", "SHOWN")
)


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
    kind, value = precondition(name), _measured(name, claim, row, scene, results)
    if value is None:
        return f"{name} was not measured"
    return "" if kind.holds(value) else str(kind.WORDS.format(value=value))


def _measured(name: str, claim: Claim, row: str, scene: str, results: Results) -> float | None:
    """Return what was measured on a scene, the mean over seeds; None where nothing was."""
    setting = load_table(claim.table).rows[row].setting
    measured = [precondition(name).value(results, t) for t in results.of(setting, [scene])]
    values = [value for value in measured if value is not None]
    return fmean(values) if values else None


def asked_of_scenes(claim: Claim, found: Found, results: Results) -> str:
    """Return what a claim asks of scenes, and what was measured: least and most over its scenes."""
    if claim.any_scene:
        return f"nothing: {claim.any_scene}"
    return "; ".join(_asked(name, claim, found, results) for name in claim.needs)


def _asked(name: str, claim: Claim, found: Found, results: Results) -> str:
    kind, row = precondition(name), claim.needs[name]
    measured = [_measured(name, claim, row, scene, results) for scene in found.effects]
    shown = [kind.SHOWN.format(value) for value in sorted(v for v in measured if v is not None)]
    ends = " to ".join(dict.fromkeys(shown[:1] + shown[-1:]))
    return f"{kind.ASKS}: {ends}" if ends else str(kind.ASKS)
