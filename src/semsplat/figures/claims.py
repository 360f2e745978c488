"""The verdicts on what the papers claim, computed from the suite's trainings."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.figures import SETTING_FILES, THINGS_FILE
from semsplat.figures.published import load_examinations, load_table
from semsplat.figures.published.claim_models import Claim, Version
from semsplat.figures.referee.rules_told import rules_in_words
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import CONTRADICTED, INCONCLUSIVE
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.figures.referee.words import Verdict
SCOPE = "trainings"
EXTENSION = "md"
NEEDS = (*SETTING_FILES, THINGS_FILE)
HEAD = (
    *("claim", "printed effect", "our effect", "interval", "size", "p, corrected"),
    *("pairs", "evidence", "asked of scenes", "verdict"),
)


class Options(Strict):
    """Which rules judge: these and the claims stand in figures/published/claims.yaml."""

    rules: Version
    """their version"""


def modules() -> list[str]:
    """Return code that is imported by name."""
    from semsplat.figures.referee import preconditions

    return preconditions.modules()


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the ledger as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.verdicts import counts_grid, judge_all

    results = Results(trainings)
    judged = judge_all(results, options.rules)
    records = [_record(*each, options.rules, results) for each in judged]
    papers = dict.fromkeys(record["paper"] for record in records)
    grids = [counts_grid("Verdicts", judged), *(_grid(paper, records) for paper in papers)]
    notes = [*_examinations(records), *rules_in_words(options.rules)]
    write_sheet(Sheet(grids, notes), records, out)


def effect_text(value: float | None, record: Mapping[str, Any]) -> str:
    """Return an effect of a record's claim: a signed difference, or a ratio; empty for None."""
    form = ".2f" if record["scale"] == "ratio" else f"+.{record['digits']}f"
    return "" if value is None else format(value, form)


def power_text(shown: float | None, record: Mapping[str, Any]) -> str:
    """Return what a suite can show, of an inconclusive claim; else empty."""
    if shown is None or record["verdict"] != INCONCLUSIVE:
        return ""
    text = effect_text(shown, record)
    if record["at_most"] in ("", None):
        return f"this suite could show {text} or more"
    alike = f"a factor of {text}" if record["scale"] == "ratio" else f"±{text.lstrip('+')}"
    return f"this suite could show what is alike within {alike}"


def told(record: Mapping[str, Any], can_show: float | None) -> str:
    """Return what stands beside the word: why, and what the suite could show."""
    return "; ".join(filter(None, (record["reason"], power_text(can_show, record))))


def _ladder_link(record: Mapping[str, Any]) -> str:
    """Return where a claim's effect is shown against what it depends on; else empty."""
    name, suite = record["ladder"], record["ladder_suite"]
    return f"what it depends on: [{name}](../{suite}/{name}.md)" if name else ""


def _ladder_suite(name: str | None) -> str:
    """Return in which suite's folder a ladder is drawn; empty without one."""
    ladder = load_table(name).ladder if name else None
    return ladder.suite if ladder else ""


def _examinations(records: list[dict[str, Any]]) -> list[str]:
    """Return what was looked at where claims came out contradicted, a paragraph for each cause."""
    together: dict[str, list[str]] = {}
    for record in records:
        together.setdefault(record["examined"], []).append(record["statement"])
    return [f"**{' '.join(said)}** {text}" for text, said in together.items() if text]


def _examined(name: str, verdict: Verdict) -> str:
    """Return what was looked at where a claim came out contradicted; else empty."""
    found = load_examinations().get(name)
    if verdict.word != CONTRADICTED or not found:
        return ""
    return f"{found.seen} What would change our mind: {found.mind}"


def _grid(paper: str, records: list[dict[str, Any]]) -> Grid:
    return Grid(paper, HEAD, [_row(record) for record in records if record["paper"] == paper])


def _row(record: dict[str, Any]) -> list[str]:
    """Return a line of the ledger."""
    printed, effect, low, high = (
        effect_text(record[name], record) for name in ("printed", "effect", "low", "high")
    )
    times = " ×" if record["scale"] == "ratio" and printed else ""  # noqa: RUF001
    said = told(record, record["can_show"]), _ladder_link(record)
    beside = "; ".join(filter(None, said))
    return [
        f"{record['statement']} ({record['source']})",
        printed + times,
        effect,
        f"{low} to {high}" if low else "",
        record["size"],
        "" if record["p_holm"] is None else f"{record['p_holm']:.2g}",
        f"{record['pairs']} of {record['scenes']} scenes" if record["pairs"] else "",
        record["evidence"],
        record["needs"],
        f"**{record['verdict']}**" + (f": {beside}" if beside else ""),
    ]


def _record(
    name: str, claim: Claim, verdict: Verdict, rules: Version, results: Results
) -> dict[str, Any]:
    """Return one line of the CSV."""
    from semsplat.figures.referee.effects import printed_effect
    from semsplat.figures.referee.preconditions import asked_of_scenes

    table = load_table(claim.table)
    measure, sides = table.measures[claim.measure], (claim.better, claim.worse)
    rows = [table.rows[row] for row in sides]
    both = [row.instead.get(claim.measure, measure) for row in rows]
    better, worse = (results.label_of(row.setting, row.label) for row in rows)
    return {
        "claim": name,
        "paper": table.paper,
        "statement": claim.statement,
        "source": claim.source,
        "better": better,
        "worse": worse,
        "measure": measure.title,
        "protocol": ", ".join(dict.fromkeys(m.protocol or m.source for m in both)),
        "digits": measure.digits,
        "scale": claim.scale,
        "at_least": claim.region[0],
        "at_most": None if claim.region[1] == inf else claim.region[1],
        "printed": printed_effect(claim, table),
        "effect": verdict.effect,
        "low": verdict.low,
        "high": verdict.high,
        "size": verdict.size,
        "p": verdict.p,
        "p_holm": verdict.p_holm,
        "can_show": verdict.can_show,
        "pairs": verdict.n_pairs,
        "scenes": verdict.n_scenes,
        "evidence": verdict.found.evidence if verdict.n_pairs else "",
        "needs": asked_of_scenes(claim, verdict.found, results),
        "verdict": verdict.word,
        "reason": verdict.reason,
        "ladder": claim.ladder,
        "ladder_suite": _ladder_suite(claim.ladder),
        "examined": _examined(name, verdict),
        "trainings": " ".join(map(str, verdict.found.trainings)),
        "rules": rules,
    }
