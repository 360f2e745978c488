"""The verdicts on what the papers claim, computed from the suite's trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim, Rules
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.figures.referee.verdicts import Verdict
SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES
HEAD = ("claim", "printed effect", "our effect", "interval", "pairs", "evidence", "verdict")


class Options(Strict):
    """Nothing: claims and rules stand in src/semsplat/figures/published/claims.yaml."""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the ledger as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.verdicts import counts_grid, judge_all

    judged = judge_all(Results(trainings))
    records = [_record(name, claim, verdict) for name, claim, verdict in judged]
    papers = dict.fromkeys(record["paper"] for record in records)
    grids = [counts_grid("Verdicts", judged), *(_grid(paper, records) for paper in papers)]
    write_sheet(Sheet(grids, _notes(load_claims().rules)), records, out)


def effect_text(value: float | None, record: Mapping[str, Any]) -> str:
    """Return an effect of a record's claim: a signed difference, or a ratio; empty for None."""
    form = ".2f" if record["scale"] == "ratio" else f"+.{record['digits']}f"
    return "" if value is None else format(value, form)


def _grid(paper: str, records: list[dict[str, Any]]) -> Grid:
    return Grid(paper, HEAD, [_row(record) for record in records if record["paper"] == paper])


def _row(record: dict[str, Any]) -> list[str]:
    """Return a line of the ledger."""
    printed, effect, low, high = (
        effect_text(record[name], record) for name in ("printed", "effect", "low", "high")
    )
    times = " ×" if record["scale"] == "ratio" and printed else ""  # noqa: RUF001
    word = f"**{record['verdict']}**" + (f": {record['reason']}" if record["reason"] else "")
    return [
        f"{record['statement']} ({record['source']})",
        printed + times,
        effect,
        f"{low} to {high}" if low else "",
        f"{record['pairs']} of {record['scenes']} scenes" if record["pairs"] else "",
        record["evidence"],
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
        " pairs. A seed has its own geometry, prompts that follow it, mistakes of a teacher and"
        " order of views; what both trainings of a pair read, they share. The interval is a"
        f" bootstrap's over pairs ({rules.confidence:.0%}, percentiles of {rules.resamples}"
        " resamples); pairs of one scene are not independent, so that it says how sure the effect"
        " is on these scenes and not on others.",
        "Reproduced: the whole interval and the mean of every scene lie above what the claim needs"
        " (0, or 1 for a ratio, unless the claim allows a loss). Contradicted: all of them lie"
        " below. Inconclusive: neither, or fewer than"
        f" {rules.min_pairs} pairs or {rules.min_scenes} scenes. Not run: this suite has no"
        " trainings of both rows. Procedural scenes and real data are judged apart; a verdict on"
        " procedural scenes is about the method's mechanism, at the suite's steps and resolution."
        " Nothing is corrected for the number of claims.",
    ]
