"""What we found of one paper: its questions, answered by the suite's verdicts and ladders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semsplat.figures import SETTING_FILES, THINGS_FILE, claims
from semsplat.figures.published import load_findings, load_table
from semsplat.figures.published.claim_models import Claim, Finding, LadderOf, Version
from semsplat.figures.referee.ladders import reading, rungs_of
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.sheet import Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import CONTRADICTED, INCONCLUSIVE, NOT_RUN, REPRODUCED
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.figures.referee.words import Verdict
SCOPE = "trainings"
EXTENSION = "md"
NEEDS = (*SETTING_FILES, THINGS_FILE)
modules = claims.modules
OPENINGS = {
    REPRODUCED: "Yes, on these scenes",
    CONTRADICTED: "No, not on these scenes",
    INCONCLUSIVE: "These trainings cannot tell",
}
"""How an answer begins that has a number."""


class Options(Strict):
    """Whose findings, and which rules judge."""

    paper: Literal["CLIP-GS", "GAGS", "CGC"]
    """of `findings.yaml`"""
    rules: Version
    """their version"""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the paper's findings as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.verdicts import judge_all

    results = Results(trainings)
    judged = judge_all(results, options.rules)
    records = [
        _record(finding, [(c, v) for name, c, v in judged if name == finding.claim], results)
        for finding in load_findings()[options.paper]
    ]
    notes = [f"**{options.paper}: what we found**", *map(_paragraph, records), conditions(results)]
    named = [{"paper": options.paper, **record} for record in records]
    write_sheet(Sheet([], notes), named, out)


def _record(
    finding: Finding, judged: list[tuple[Claim, Verdict]], results: Results
) -> dict[str, Any]:
    """Return one line of the CSV."""
    answers = [answer_text(claim, verdict) for claim, verdict in judged]
    statement = judged[0][0].statement if judged else "The paper does not ask this."
    return {
        "asks": finding.asks,
        "says": statement,
        "verdict": " ".join(dict.fromkeys(verdict.word for _, verdict in judged)),
        "answer": " ".join(answers),
        "depends": ladder_text(finding.ladder, results),
        "ladder": finding.ladder.table,
        "mind": finding.mind,
    }


def _paragraph(record: dict[str, Any]) -> str:
    """Return a finding in words."""
    parts = (
        f"**{record['asks']}**",
        record["answer"] or record["says"],
        record["depends"],
        f"What would change our mind: {record['mind']}",
    )
    return " ".join(parts)


def answer_text(claim: Claim, verdict: Verdict) -> str:
    """Return what came out of a claim on one kind of scenes, in words."""
    from semsplat.figures.referee.effects import printed_effect

    table = load_table(claim.table)
    like = {"scale": claim.scale, "digits": table.measures[claim.measure].digits}
    if verdict.word not in OPENINGS or verdict.effect is None:
        opening = "Not asked here" if verdict.word == NOT_RUN else "These scenes cannot say"
        return f"{opening}: {verdict.reason}."
    unit = _unit(claim)
    said = f"{claims.effect_text(verdict.effect, like)}{unit}"
    if verdict.low is not None:
        low, high = (claims.effect_text(end, like) for end in (verdict.low, verdict.high))
        said += f" ({low} to {high})"
    said += f" over {verdict.n_scenes} scene{'s' * (verdict.n_scenes != 1)}"
    if (printed := printed_effect(claim, table)) is not None:
        said += f", where the paper prints {claims.effect_text(printed, like)}"
    why = f"; {verdict.reason}" if verdict.reason else ""
    return f"{OPENINGS[verdict.word]}: {said}{why}."


def _unit(claim: Claim) -> str:
    """Return the unit of an effect, with a blank before it; empty for a number without one."""
    if claim.scale == "ratio":
        return " times"
    if claim.measure == "psnr":
        return " dB"
    return " points" if load_table(claim.table).measures[claim.measure].factor == 100 else ""


def ladder_text(ladder: LadderOf, results: Results) -> str:
    """Return how the effect changes along its ladder, or where that is shown."""
    table = load_table(ladder.table)
    assert table.ladder
    rungs = [
        rung
        for rung in rungs_of(table, results)
        if rung.effect == ladder.effect and rung.measure == table.measures[ladder.measure]
    ]
    if words := reading(rungs):
        title = table.measures[ladder.measure].title
        return f"Along `{ladder.table}` ({table.ladder.axis}), effect on {title}: {words}."
    return f"`{ladder.table}` of suite `{table.ladder.suite}` shows what it depends on."
