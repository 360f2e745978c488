"""The verdicts on what the papers claim, computed from the suite's trainings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.models import Claim, Rules
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from pathlib import Path

    from semsplat.figures.referee.sheet import Grid
    from semsplat.figures.referee.trainings import Training
    from semsplat.figures.referee.verdicts import Verdict

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES
HEAD = ("claim", "printed effect", "our effect", "interval", "pairs", "evidence", "verdict")


class Options(Strict):
    """Nothing: claims and rules stand in src/semsplat/figures/published/claims.yaml."""


def draw(trainings: list[Training], options: Options, out: Path) -> None:
    """Write the ledger as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.sheet import Sheet, write_sheet
    from semsplat.figures.referee.trainings import Results
    from semsplat.figures.referee.verdicts import judge

    claims, results = load_claims(), Results(trainings)
    judged = [
        (name, claim, verdict)
        for name, claim in claims.claims.items()
        for verdict in judge(claim, load_table(claim.table), results, claims.rules)
    ]
    papers = list(dict.fromkeys(load_table(claim.table).paper for _, claim, _ in judged))
    grids = [_counts(papers, judged), *(_grid(paper, judged) for paper in papers)]
    records = [_record(name, claim, verdict) for name, claim, verdict in judged]
    write_sheet(Sheet(grids, _notes(claims.rules)), records, out)


def _counts(papers: Sequence[str], judged: list[tuple[str, Claim, Verdict]]) -> Grid:
    from semsplat.figures.referee.sheet import Grid
    from semsplat.figures.referee.verdicts import WORDS

    pairs = [(str(load_table(claim.table).paper), verdict.word) for _, claim, verdict in judged]
    found = Counter(pairs)
    rows = [[paper, *(str(found[paper, word]) for word in WORDS)] for paper in papers]
    return Grid("Verdicts", ["paper", *WORDS], rows)


def _grid(paper: str, judged: list[tuple[str, Claim, Verdict]]) -> Grid:
    from semsplat.figures.referee.sheet import Grid

    members = [entry for entry in judged if load_table(entry[1].table).paper == paper]
    return Grid(paper, HEAD, [_row(claim, verdict) for _, claim, verdict in members])


def _row(claim: Claim, verdict: Verdict) -> list[str]:
    record = _record("", claim, verdict)
    digits = 2 if claim.scale == "ratio" else record["digits"]

    def text(value: float | None) -> str:
        sign = "" if claim.scale == "ratio" else "+"
        return "" if value is None else f"{value:{sign}.{digits}f}"

    bounds = "" if verdict.low is None else f"{text(verdict.low)} to {text(verdict.high)}"
    word = f"**{verdict.word}**" + (f": {verdict.reason}" if verdict.reason else "")
    return [
        f"{claim.statement} ({claim.source})",
        text(record["printed"]) + (" ×" if claim.scale == "ratio" and record["printed"] else ""),  # noqa: RUF001
        text(verdict.effect),
        bounds,
        f"{verdict.n_pairs} of {verdict.n_scenes} scenes" if verdict.n_pairs else "",
        verdict.evidence if verdict.n_pairs else "",
        word,
    ]


def _record(name: str, claim: Claim, verdict: Verdict) -> dict[str, Any]:
    """Return one line of the CSV."""
    from semsplat.figures.referee.verdicts import printed_effect

    table = load_table(claim.table)
    measure = table.measures[claim.measure]
    return {
        "claim": name,
        "paper": table.paper,
        "statement": claim.statement,
        "source": claim.source,
        "better": table.rows[claim.better].label,
        "worse": table.rows[claim.worse].label,
        "measure": measure.title,
        "protocol": measure.protocol or measure.source,
        "digits": measure.digits,
        "scale": claim.scale,
        "at_least": claim.at_least,
        "printed": printed_effect(claim, table),
        "effect": verdict.effect,
        "low": verdict.low,
        "high": verdict.high,
        "pairs": verdict.n_pairs,
        "scenes": verdict.n_scenes,
        "evidence": verdict.evidence if verdict.n_pairs else "",
        "verdict": verdict.word,
        "reason": verdict.reason,
        "trainings": " ".join(map(str, verdict.trainings)),
    }


def _notes(rules: Rules) -> list[str]:
    """Return the rules, which were fixed before any result."""
    return [
        "An effect is what the preferred row is better by, in the unit of its measure, or how many"
        " times as good it is: of two trainings of one scene and seed, then the mean over all such"
        f" pairs. The interval is a bootstrap's over pairs ({rules.confidence:.0%}, percentiles of"
        f" {rules.resamples} resamples); pairs of one scene are not independent, so that it says"
        " how sure the effect is on these scenes and not on others.",
        "Reproduced: the whole interval and the mean of every scene lie above what the claim needs"
        " (0, or 1 for a ratio, unless the claim allows a loss). Contradicted: all of them lie"
        " below. Inconclusive: neither, or fewer than"
        f" {rules.min_pairs} pairs or {rules.min_scenes} scenes. Not run: this suite has no"
        " trainings of both rows. Procedural scenes and real data are judged apart; a verdict on"
        " procedural scenes is about the method's mechanism, at the suite's steps and resolution."
        " Nothing is corrected for the number of claims.",
    ]
