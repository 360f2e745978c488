"""The rules of verdicts in words, with their numbers: what stands below a ledger."""

from __future__ import annotations

from semsplat.figures.published import load_claims
from semsplat.figures.published.claim_models import FirstRules, SecondRules, Version

EFFECTS = (
    "An effect is what the preferred row is better by, in the unit of its measure, or how many"
    " times as good it is: of two trainings of one scene and seed. A seed has its own geometry,"
    " prompts that follow it, mistakes of a teacher and order of views; what both trainings of a"
    " pair read, they share."
)
LEVELS = (
    "Not run: this suite has no trainings of both rows. Procedural scenes and real data are judged"
    " apart; a verdict on procedural scenes is about the method's mechanism, at the suite's steps"
    " and resolution."
)


def rules_in_words(version: Version) -> list[str]:
    """Return the rules of a version, which were fixed before any result that they judge."""
    rules = load_claims().rules
    return _first(rules.first) if version == 1 else _second(rules.second)


def _first(rules: FirstRules) -> list[str]:
    return [
        f"Rules@1. {EFFECTS} Our effect is the mean over all pairs, the interval a bootstrap's over"
        f" pairs ({rules.confidence:.0%}, percentiles of {rules.resamples} resamples); pairs of one"
        " scene are not independent, so that it says how sure the effect is on these scenes and not"
        " on others.",
        "Reproduced: the whole interval and the mean of every scene lie above what the claim needs"
        " (0, or 1 for a ratio, unless the claim allows a loss). Contradicted: all of them lie"
        f" below. Inconclusive: neither, or fewer than {rules.min_pairs} pairs or"
        f" {rules.min_scenes} scenes. {LEVELS} Nothing is corrected for the number of claims.",
    ]


def _second(rules: SecondRules) -> list[str]:
    return [
        f"Rules@2. {EFFECTS} Our effect is the mean over scenes of the mean over seeds, of ratios"
        f" the geometric one. Scenes are the witnesses: the interval ({1 - rules.alpha:.0%}) and p"
        " are Student's t over the means of scenes, which is the test of a mixed model of scenes"
        " and seeds. p is corrected by Holm for all of the paper's claims that were tested on such"
        " scenes; the interval is of its claim alone.",
        f"Reproduced, contradicted: the corrected p is below {rules.alpha:g}, and the effect lies"
        " in what the claim needs, or out of it: better at all, unless the claim allows a loss or"
        " names an amount; between two bounds where the paper says alike, or better by little."
        " Inconclusive: neither. What this suite could show then, it would show with a chance of"
        f" {rules.power:.0%}, whatever becomes of the other claims, were scenes to spread as these"
        " do. Size: the printed effect lies in our interval (agrees), above it (smaller) or below"
        " it (larger); a wide interval agrees with much.",
        "Not testable here: what the claim presupposes holds on none of the scenes; those where it"
        f" does not are left out. Claims about time need {rules.min_turns} turns in which all"
        " trainings were measured one after the other, while others used at most"
        f" {rules.max_busy:.0%} of the device. {LEVELS}",
    ]
