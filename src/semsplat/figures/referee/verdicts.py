"""Verdicts on all claims, by one version of the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim, Version
from semsplat.figures.referee import rules_1, rules_2
from semsplat.figures.referee.effects import found_of
from semsplat.figures.referee.sheet import Grid
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import WORDS, Verdict

Judged = list[tuple[str, Claim, Verdict]]
"""A claim's name, itself, and what came out of it on one kind of scenes."""


def judge_all(results: Results, version: Version) -> Judged:
    """Return the verdicts on every claim, in the order of the file."""
    claims = load_claims()
    asked = [
        (name, claim, found)
        for name, claim in claims.claims.items()
        for found in found_of(claim, load_table(claim.table), results)
    ]
    pairs = [(claim, found) for _, claim, found in asked]
    if version == 1:
        verdicts = [rules_1.judge(claim, found, claims.rules.first) for claim, found in pairs]
    else:
        verdicts = rules_2.judge_all(pairs, results, claims.rules.second)
    return [
        (name, claim, verdict) for (name, claim, _), verdict in zip(asked, verdicts, strict=True)
    ]


def counts_grid(title: str, judged: Sequence[tuple[str, Claim, Verdict]]) -> Grid:
    """Return how many claims of each paper came out how."""
    pairs = [(str(load_table(claim.table).paper), verdict.word) for _, claim, verdict in judged]
    found, papers = Counter(pairs), dict.fromkeys(paper for paper, _ in pairs)
    rows = [[paper, *(str(found[paper, word]) for word in WORDS)] for paper in papers]
    return Grid(title, ["paper", *WORDS], rows)
