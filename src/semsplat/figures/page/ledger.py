"""What the page shows of claims.csv and of findings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semsplat.figures.claims import effect_text, told
from semsplat.figures.page.anchors import anchor
from semsplat.figures.referee.sheet import read_records
from semsplat.figures.referee.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    NOT_TESTABLE,
    REPRODUCED,
)
from semsplat.keys import parse_training

FOLDED = ("", NOT_TESTABLE, NOT_RUN)
"""Verdicts of lines that the page folds behind their count."""
EFFECTS = ("printed", "effect", "low", "high")


def findings(folder: Path, name: str, tables: Sequence[str]) -> dict[str, Any]:
    """Return a paper's findings; each knows whether its ladder is one of the page's tables."""
    records = [
        {
            **record,
            "here": record["ladder"] in tables,
            "depends": record["depends"].replace("`", ""),
        }
        for record in read_records(folder / f"{name}.csv")
    ]
    return {"paper": records[0]["paper"], "findings": records}


def ledger(folder: Path, tables: Sequence[str]) -> list[dict[str, Any]]:
    """Return the lines of claims.csv with their numbers as text, and as numbers in ``values``.

    Each knows whether its ladder is one of the page's tables.
    """
    lines: list[dict[str, Any]] = []
    for record in read_records(folder / "claims.csv"):
        names = (*EFFECTS, "at_least", "at_most", "can_show")
        values = {name: float(record[name]) if record[name] else None for name in names}
        numbers = {name: effect_text(values[name], record) for name in (*EFFECTS, "can_show")}
        more = {
            "values": values,
            "ratio": record["scale"] == "ratio",
            "here": record["ladder"] in tables,
            "links": [anchor(t) for t in _sides(record["trainings"])],
            "reason": told(record, values["can_show"]),
            "p_holm": f"{float(record['p_holm']):.2g}" if record["p_holm"] else "",
            "rules": int(record["rules"]),
        }
        lines.append({**record, **numbers, **more})
    return lines


def why_undecided(lines: Sequence[dict[str, Any]]) -> str:
    """Return one sentence where claims were measured and none is decided; else nothing."""
    words = [line["verdict"] for line in lines]
    if REPRODUCED in words or CONTRADICTED in words or INCONCLUSIVE not in words:
        return ""
    measured = [line for line in lines if line["verdict"] == INCONCLUSIVE]
    scenes = max(int(line["scenes"]) for line in measured)
    if scenes == 1:
        return (
            f"One scene decides no claim: {len(measured)} effects were measured here, and a verdict"
            " needs scenes that agree, because what holds in one may be chance."
        )
    return f"No claim is decided: of {len(measured)} effects that were measured none is clear."


def _sides(trainings: str) -> list[str]:
    """Return the trainings of each setting among them."""
    by_setting: dict[str, list[str]] = {}
    for text in trainings.split():
        by_setting.setdefault(parse_training(text).setting, []).append(text)
    return [" ".join(texts) for texts in by_setting.values()]
